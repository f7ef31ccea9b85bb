// Who may read and write an open file: what config/ asks of Windows' access lists, where POSIX
// systems have an owner and a mode. Each function throws Error without the file's name, which the
// caller knows. Any thread.
#pragma once

#include <windows.h>

#include <string>

namespace netcluster::config {

/// Names those who may read or change the file besides the system, the administrators and us (our
/// user, and the services this process runs as), separated by commas; "" when there are none.
std::string othersWithAccess(HANDLE file);

/// Who owns the file, when that is neither the system, nor the administrators, nor us; else "". An
/// owner can let anybody in.
std::string foreignOwner(HANDLE file);

/// Every user of this host may write to it.
bool everybodyMayWrite(HANDLE file);

/// The access list of a file that holds secrets, in the system's own notation (SDDL): everything
/// for the system, the administrators and us, nothing for others, whatever the folder would hand
/// down.
std::wstring privateAccess();

/// Makes a new file with that access list, to be written; fails if there is one. The caller asks
/// GetLastError why it is none.
HANDLE createPrivateFile(const wchar_t* path);

/// "Access is denied.", as the system says it, without a line's end.
std::string systemMessage(DWORD error);

}  // namespace netcluster::config
