// Files that hold secrets: who may read them, and how they are replaced. Each function throws Error
// that names the file and what is wrong with it; the text is never part of a message.
// secret_file_posix.cpp and secret_file_windows.cpp answer. Any thread.
//
// "Private": of root's or our own and mode 0600; on Windows, nobody but the system, the
// administrators, the service netcluster and we ourselves are in its access list.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netcluster::config {

/// The text of a regular file that is private; at most `most` bytes. Never waits for another program. The text is held once
/// in memory: whoever wipes what is returned has wiped it.
std::string readSecretFile(const std::string& path, std::size_t most);

/// Puts `text` in the place of the file, and makes it private. Either the old text or the new one is there at
/// every moment, after a power cut too. Of a link, it is the file at its end that is replaced.
void replaceSecretFile(const std::string& path, std::string_view text);

/// Makes a new file that is private; one that exists already is refused and left as it is.
void createSecretFile(const std::string& path, std::string_view text);

}  // namespace netcluster::config
