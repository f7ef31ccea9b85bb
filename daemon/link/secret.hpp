// 32 secret bytes: a group key, or one derived from it. Wiped when they are dropped; nothing prints
// them, and comparing takes the same time wherever they differ. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace netcluster::daemon::link {

/// Makes libsodium choose the fastest code for this processor, once; call before anything of
/// libsodium's. Throws Error when it cannot.
void prepareSodium();

class Secret {
  public:
    static constexpr std::size_t size = 32;
    static constexpr std::size_t textSize = 44;  ///< as base64 with its padding

    Secret() = default;
    Secret(const Secret&) = default;
    Secret& operator=(const Secret&) = default;
    ~Secret();

    /// 32 bytes from the system's random source.
    static Secret random();
    /// From base64. Throws Error that says what is wrong, without the text.
    static Secret fromText(std::string_view base64);

    const unsigned char* data() const { return bytes_.data(); }
    unsigned char* data() { return bytes_.data(); }

    bool operator==(const Secret& other) const;

  private:
    std::array<unsigned char, size> bytes_{};
};

/// Text with secrets in it, wiped when it is dropped. Its room is taken once: a text that outgrew
/// it would leave pieces behind in memory.
class SecretText {
  public:
    explicit SecretText(std::string text) : text_(std::move(text)) {}
    ~SecretText();
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    std::string_view view() const { return text_; }

  private:
    std::string text_;
};

}  // namespace netcluster::daemon::link
