#include "keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <netcluster/error.hpp>
#include <optional>

#include "secret_file.hpp"

namespace netcluster::ctl {
namespace {

constexpr std::size_t keySize = 32;
/// Of a file or of stdin with one key in it: 44 characters and a few blanks.
constexpr std::size_t largestInput = 4096;

std::optional<std::uint16_t> parseId(std::string_view text) {
    std::uint16_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id == 0) return {};
    return id;
}

ParsedData wrong(const std::string& what) {
    return {{}, what};
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto from = std::min(text.find_first_not_of(blanks), text.size());
    return std::string(text.substr(from, text.find_last_not_of(blanks) + 1 - from));
}

std::string readInput() {
    std::array<char, largestInput> text{};
    std::cin.read(text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::cin.gcount())};
}

ParsedData withKey(Json request, const Call& call, bool atPrompt) {
    const bool fromInput = call.arguments.size() < 3 || call.arguments[2] == "-";
    if (fromInput && atPrompt) {
        return wrong("name the file with the key; reading it from stdin is for the command line");
    }
    const auto text =
        trimmed(fromInput ? readInput() : config::readSecretFile(call.arguments[2], largestInput));
    if (text.empty()) return wrong("there is no key to read");
    request["key"] = text;
    return {std::move(request), {}};
}

std::string newKey() {
    if (sodium_init() < 0) throw Error("libsodium cannot be initialised");
    std::array<unsigned char, keySize> key{};
    randombytes_buf(key.data(), key.size());
    std::array<char, sodium_base64_ENCODED_LEN(keySize, sodium_base64_VARIANT_ORIGINAL)> text{};
    sodium_bin2base64(text.data(), text.size(), key.data(), key.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    return text.data();
}

Status makeKeyFile(const std::string& path, std::uint16_t id, Context& context) {
    config::createSecretFile(path, "[\n  {\"id\": " + std::to_string(id) + ", \"key\": \"" +
                                       newKey() + "\", \"use\": \"tx\"}\n]\n");
    return answer(context, Json{{"file", path}, {"id", id}},
                  "made " + path + " with key " + std::to_string(id) + '\n');
}

}  // namespace

ParsedData keysRequest(const Call& call, bool atPrompt) {
    const auto& words = call.arguments;
    const auto& what = words[0];
    const bool list = what == "list";
    const bool add = what == "add";
    if (!list && !add && what != "use" && what != "remove") {
        return wrong("keys does list, add, use or remove, not `" + what + '`');
    }
    const std::size_t most = list ? 1 : add ? 3 : 2;
    if (words.size() > most) return wrong("too many arguments for keys " + what);
    if (list) return {Json{{"do", what}}, {}};
    const auto id = words.size() < 2 ? std::nullopt : parseId(words[1]);
    if (!id) return wrong("keys " + what + " needs the id of a key, 1 to 65535");
    Json request{{"do", what}, {"id", *id}};
    return add ? withKey(std::move(request), call, atPrompt) : ParsedData{std::move(request), {}};
}

Status genkeyCommand(const Call& call, Context& context) {
    if (!call.has("--file")) {
        if (call.has("--id")) return fail(context, Status::usage, "--id is for --file");
        const auto key = newKey();
        return answer(context, Json{{"key", key}}, key + '\n');
    }
    const auto id = call.has("--id") ? parseId(call.value("--id")) : std::uint16_t{1};
    if (!id) return fail(context, Status::usage, "--id needs a number from 1 to 65535");
    return makeKeyFile(call.value("--file"), *id, context);
}

}  // namespace netcluster::ctl
