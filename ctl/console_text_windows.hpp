// What is typed at a console, from the console's UTF-16 to our UTF-8. (Asked for UTF-8 itself, the
// console of Windows 10 gives a zero for every letter beyond ASCII.) Pure; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace netcluster::ctl {

class ConsoleText {
  public:
    /// The bytes of what one read gave, which are none when it ended within a letter; lines end
    /// with a newline alone. Nothing at the end of input: Ctrl-Z where a line begins.
    std::optional<std::string> take(std::wstring_view read);

  private:
    bool lineBegins_ = true;
    std::wstring half_;  ///< the first half of a letter whose second half the next read brings
};

}  // namespace netcluster::ctl
