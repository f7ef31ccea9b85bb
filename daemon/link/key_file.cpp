#include "key_file.hpp"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <netcluster/error.hpp>
#include <optional>

namespace netcluster::daemon::link {
namespace {

constexpr std::size_t entryRoom = 128;  // one line of the file

/// Reads from the front of the text; the first thing that is wrong is thrown.
class Reader {
  public:
    Reader(std::string_view text, const std::string& name) : rest_(text), name_(name) {
        constexpr std::string_view byteOrderMark = "\xEF\xBB\xBF";
        if (rest_.starts_with(byteOrderMark)) rest_.remove_prefix(byteOrderMark.size());
    }

    std::vector<GroupKey> document() {
        std::vector<GroupKey> keys;
        keys.reserve(maxKeys);
        expect('[', "a list of keys");
        while (!takes(']')) {
            if (keys.size() == maxKeys) wrong("more than " + std::to_string(maxKeys) + " keys");
            keys.push_back(entry());
            separate(']');
        }
        skipBlanks();
        if (!rest_.empty()) wrong("something follows the list of keys");
        return keys;
    }

  private:
    struct Entry {
        std::optional<std::uint16_t> id;
        std::optional<Secret> secret;
        std::optional<KeyUse> use;
    };

    [[noreturn]] void wrong(const std::string& what) const {
        throw Error(name_ + ':' + std::to_string(line_) + ": " + what);
    }

    GroupKey entry() {
        Entry entry;
        expect('{', "a key, as {\"id\": …, \"key\": …, \"use\": …}");
        while (!takes('}')) {
            member(entry);
            separate('}');
        }
        if (!entry.id) wrong("a key without \"id\"");
        if (!entry.secret) wrong("a key without \"key\"");
        if (!entry.use) wrong("a key without \"use\"");
        return {*entry.id, *entry.secret, *entry.use};
    }

    void member(Entry& entry) {
        const std::string_view name = string("the name of a member");
        expect(':', "a colon");
        if (name == "id") return once(entry.id, "id", id());
        if (name == "key") return once(entry.secret, "key", secret());
        if (name == "use") return once(entry.use, "use", use());
        wrong("an unknown member; a key has \"id\", \"key\" and \"use\"");
    }

    template <typename Value>
    void once(std::optional<Value>& into, const char* name, const Value& value) {
        if (into) wrong('"' + std::string(name) + "\" stands twice in one key");
        into = value;
    }

    std::uint16_t id() {
        skipBlanks();
        const auto end = std::find_if_not(rest_.begin(), rest_.end(),
                                          [](char c) { return c >= '0' && c <= '9'; });
        const auto digits = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        std::uint16_t id = 0;
        const auto outcome = std::from_chars(digits.data(), digits.data() + digits.size(), id);
        if (outcome.ec != std::errc{} || digits.starts_with('0')) {
            wrong("\"id\" must be a number, 1 to 65535");
        }
        rest_.remove_prefix(digits.size());
        return id;
    }

    Secret secret() {
        const std::string_view text = string("base64 in double quotes");
        try {
            return Secret::fromText(text);
        } catch (const Error& error) {
            wrong("\"key\" " + std::string(error.what()));
        }
    }

    KeyUse use() {
        const std::string_view text = string("\"tx\" or \"rx\"");
        if (text == keyUseName(KeyUse::tx)) return KeyUse::tx;
        if (text == keyUseName(KeyUse::rx)) return KeyUse::rx;
        wrong("\"use\" must be \"tx\" or \"rx\"");
    }

    // Nothing in a key file needs an escape, and without them the text is used where it stands.
    std::string_view string(const char* wanted) {
        expect('"', wanted);
        const std::size_t end = rest_.find_first_of("\"\\\n");
        if (end == std::string_view::npos || rest_[end] != '"') {
            wrong("text with a backslash, or without a closing quote");
        }
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    // After an item: a comma, or the bracket that ends it all (which is left standing).
    void separate(char bracket) {
        skipBlanks();
        if (takes(',') || rest_.starts_with(bracket)) return;
        wrong(std::string("expected ',' or '") + bracket + "' here");
    }

    void expect(char byte, const char* wanted) {
        if (!takes(byte)) wrong("expected " + std::string(wanted) + " here");
    }

    bool takes(char byte) {
        skipBlanks();
        if (!rest_.starts_with(byte)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void skipBlanks() {
        for (;;) {
            const std::size_t blanks = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
            if (blanks > 0) {
                skip(blanks);
            } else if (rest_.starts_with("//")) {
                skip(std::min(rest_.find('\n'), rest_.size()));
            } else if (rest_.starts_with("/*")) {
                const std::size_t end = rest_.find("*/", 2);
                if (end == std::string_view::npos) wrong("a comment that does not end");
                skip(end + 2);
            } else {
                return;
            }
        }
    }

    void skip(std::size_t count) {
        const std::string_view passed = rest_.substr(0, count);
        line_ += std::count(passed.begin(), passed.end(), '\n');
        rest_.remove_prefix(count);
    }

    std::string_view rest_;
    const std::string& name_;
    std::ptrdiff_t line_ = 1;
};

}  // namespace

std::vector<GroupKey> readKeyFile(std::string_view text, const std::string& name) {
    return Reader(text, name).document();
}

std::string keyFileText(std::span<const GroupKey> keys) {
    std::string text;
    text.reserve(entryRoom * (keys.size() + 1));  // see SecretText
    text += "[\n";
    for (const GroupKey& key : keys) {
        char secret[Secret::textSize + 1];
        sodium_bin2base64(secret, sizeof secret, key.secret.data(), Secret::size,
                          sodium_base64_VARIANT_ORIGINAL);
        text += "  {\"id\": " + std::to_string(key.id) + ", \"key\": \"";
        text += secret;
        text += "\", \"use\": \"" + std::string(keyUseName(key.use)) + "\"},\n";
        sodium_memzero(secret, sizeof secret);
    }
    // The last comma; a file without keys has none.
    if (!keys.empty()) text.erase(text.size() - 2, 1);
    return text += "]\n";
}

}  // namespace netcluster::daemon::link
