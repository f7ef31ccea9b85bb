// %ProgramData%\netcluster: the configuration, and what the service writes. Every user may make
// folders in %ProgramData%, so that a folder found there is not trusted because of its name. Any
// thread.
#pragma once

#include <string>

namespace netcluster::service {

/// %ProgramData%\netcluster.
std::wstring dataFolder();
std::wstring dataConfig();  ///< config.json in it

/// Throws Error when the file is there and belongs to somebody who is no administrator, nor we: it
/// may have been put there before the folder was ours.
void requireTrustedFile(const std::wstring& file);

/// Makes the folder, with `log`, `keys` and `run` in it, or takes hold of the one that is there.
/// For administrators and Windows everything; for the service reading, in the three writing; for
/// others nothing, but they may list `run`, which is the daemon's run directory. Throws
/// SystemError, or Error when the folder belongs to somebody else.
void makeDataFolder();

/// Who may do what with the data folder, with `log` and `keys`, and with `run`, as Windows writes
/// it.
std::wstring folderRights();
std::wstring writableFolderRights();
std::wstring runFolderRights();

}  // namespace netcluster::service
