// Who may read and write an open file: what config/ asks of Windows' access lists, where POSIX
// systems have an owner and a mode. "We" are the user who runs this and the services it runs as,
// and the service `netcluster`, whoever runs this: it is the host's daemon, and what an
// administrator makes with ncctl is made for it. Each function throws Error without the file's
// name, which the caller knows. Any thread.
#pragma once

#include <windows.h>

#include <string>

namespace netcluster::config {

/// The account NT SERVICE\netcluster: S-1-5-80 and SHA-1 of the name. Nobody but Windows' own
/// service manager, asked by an administrator, gives it to a process.
inline constexpr const wchar_t* daemonIdentity =
    L"S-1-5-80-2807033111-3796994822-4230873470-2753319243-3554446728";

/// Names those who may read or change the file besides the system, the administrators and us,
/// separated by commas; "" when there are none.
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
