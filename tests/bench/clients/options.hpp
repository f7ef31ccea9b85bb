// What every client program is told on its command line, the clock all of them share, and the
// payload that carries a sequence number.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace netcluster::bench {

/// `key=value` words. Unknown keys are ignored: the runner gives all clients the same words.
class Options {
  public:
    Options(int count, char** words, int first) {
        for (int i = first; i < count; ++i) {
            const std::string_view word = words[i];
            const auto equals = word.find('=');
            if (equals == word.npos) {
                throw std::runtime_error("expected key=value: " + std::string(word));
            }
            values_[std::string(word.substr(0, equals))] = word.substr(equals + 1);
        }
    }
    std::string text(const std::string& key, const std::string& otherwise = "") const {
        const auto found = values_.find(key);
        return found == values_.end() ? otherwise : found->second;
    }
    std::uint64_t number(const std::string& key, std::uint64_t otherwise) const {
        const auto found = values_.find(key);
        return found == values_.end() ? otherwise : std::stoull(found->second);
    }
    /// Seconds in the option, as nanoseconds.
    std::int64_t nanoseconds(const std::string& key, double otherwise) const {
        const auto found = values_.find(key);
        const double seconds = found == values_.end() ? otherwise : std::stod(found->second);
        return static_cast<std::int64_t>(seconds * 1e9);
    }

  private:
    std::map<std::string, std::string> values_;
};

/// CLOCK_MONOTONIC: one clock for all processes of a host, so that the subscriber's last arrival
/// can be compared with the publisher's start.
inline std::int64_t nowNanoseconds() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// JSON text of exactly `size` bytes, the same that nlohmann::json writes for such an object:
/// {"seq":10000042} at 16 bytes, {"pad":"xx…","seq":10000042} from 25 on. The number has eight
/// digits and stands at the end, where it is found without parsing.
class Payload {
  public:
    static constexpr std::uint64_t first = 10'000'000;
    static constexpr std::uint64_t capacity = 90'000'000;

    explicit Payload(std::size_t size) {
        static constexpr std::string_view bare = "{\"seq\":10000000}";
        static constexpr std::string_view padding = "\"pad\":\"\",";
        text_ = bare;
        if (size == bare.size()) return;
        if (size < bare.size() + padding.size()) {
            throw std::runtime_error("payloads have 16 bytes, or 25 and more");
        }
        const std::string pad(size - bare.size() - padding.size(), 'x');
        text_ = "{\"pad\":\"" + pad + "\"," + std::string(bare.substr(1));
    }
    std::string_view with(std::uint64_t sequence) {
        sequence += first;
        for (std::size_t i = 0; i < digits; ++i, sequence /= 10) {
            text_[text_.size() - 2 - i] = static_cast<char>('0' + sequence % 10);
        }
        return text_;
    }
    /// Of any text that `with` made.
    static std::uint64_t sequence(std::string_view text) {
        if (text.size() <= digits) throw std::runtime_error("not a payload: " + std::string(text));
        std::uint64_t number = 0;
        for (const char digit : text.substr(text.size() - 1 - digits, digits)) {
            number = number * 10 + static_cast<std::uint64_t>(digit - '0');
        }
        return number - first;
    }

  private:
    static constexpr std::size_t digits = 8;
    std::string text_;
};

}  // namespace netcluster::bench
