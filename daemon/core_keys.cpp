// What control does with the keys of the link. A change goes to the key file first, then to the
// link, so that a restart finds what is in force.
#include "core_keys.hpp"

#include <nlohmann/json.hpp>

#include "core.hpp"
#include "log.hpp"
#include "path_text.hpp"

namespace netcluster::daemon {

using nlohmann::json;

std::string keyFileOf(const config::Settings& settings, const std::string& configFile) {
    if (settings.link.netKeyFile.empty()) return {};
    const auto folder = config::pathFromText(configFile).parent_path();
    return config::textOfPath(folder / config::pathFromText(settings.link.netKeyFile));
}

link::Keyring loadKeys(const config::Settings& settings, const std::string& configFile) {
    const std::string file = keyFileOf(settings, configFile);
    return file.empty() ? link::Keyring() : link::Keyring::load(file);
}

json usesOf(const link::Keyring& keys) {
    json uses = json::array();
    for (const link::GroupKey& key : keys.keys()) {
        uses.push_back({{"id", key.id}, {"use", link::keyUseName(key.use)}});
    }
    return uses;
}

json Core::listKeys() {
    json answer = link_ ? link_->keyStats() : json{{"keys", usesOf(keys_)}};
    answer["file"] = keyFileOf(settings_, configFile_);
    return answer;
}

json Core::addKey(std::uint16_t id, std::string_view text) {
    const auto add = [&](link::Keyring& keys) {
        try {
            keys.add(id, link::Secret::fromText(text));
        } catch (const Error& error) {
            throw Error("the key is refused: " + std::string(error.what()));
        }
    };
    return changeKeys(add, "key " + std::to_string(id) + " is received with");
}

json Core::useKey(std::uint16_t id) {
    return changeKeys([id](link::Keyring& keys) { keys.use(id); },
                      "key " + std::to_string(id) + " is sent with");
}

json Core::removeKey(std::uint16_t id) {
    return changeKeys([id](link::Keyring& keys) { keys.remove(id); },
                      "key " + std::to_string(id) + " was removed");
}

// What stands in the file and is not in force yet would be lost by writing it, so it is refused.
json Core::changeKeys(const std::function<void(link::Keyring&)>& change, const std::string& told) {
    const std::string file = keyFileOf(settings_, configFile_);
    if (file.empty()) throw Error("the link has no keys: the configuration names no netkeyfile");
    if (link::Keyring::load(file) != keys_) {
        throw Error(file + ": was changed since it was read; reload the configuration first");
    }
    link::Keyring keys = keys_;
    change(keys);
    if (keys != keys_) {
        keys.save(file);
        keys_ = std::move(keys);
        if (link_) link_->setKeys(keys_);
        log::info("link: {}", told);
    }
    return listKeys();
}

}  // namespace netcluster::daemon
