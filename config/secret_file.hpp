// Files that hold secrets: who may read them, and how they are replaced. Each function throws Error
// that names the file and what is wrong with it; the text is never part of a message.
// secret_file_posix.cpp answers. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netcluster::config {

/// The text of a regular file that belongs to root or to us, and that neither its group nor others
/// may read or write; at most `most` bytes. Never waits for another program. The text is held once
/// in memory: whoever wipes what is returned has wiped it.
std::string readSecretFile(const std::string& path, std::size_t most);

/// Puts `text` in the place of the file, mode 0600. Either the old text or the new one is there at
/// every moment, after a power cut too. Of a link, it is the file at its end that is replaced.
void replaceSecretFile(const std::string& path, std::string_view text);

/// Makes a new file, mode 0600; one that exists already is refused and left as it is.
void createSecretFile(const std::string& path, std::string_view text);

}  // namespace netcluster::config
