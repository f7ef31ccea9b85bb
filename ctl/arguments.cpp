#include "arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "call_form.hpp"
#include "help.hpp"

namespace netcluster::ctl {
namespace {

constexpr std::array<Option, 5> common{{
    {"--json", "", "", "answer with one JSON value per line"},
    {"--dir", "", "DIR", "the daemon's run directory (also $NETCLUSTER_DIR)"},
    {"--timeout", "", "SECONDS", "wait this long for the daemon (default 5; 2 to be let in)"},
    {"--help", "-h", "", "show help and exit"},
    {"--version", "", "", "show the version and exit"},
}};

const Option* named(const Command* command, std::string_view word) {
    const auto isNamed = [word](const Option& option) {
        return option.name == word || (!option.brief.empty() && option.brief == word);
    };
    const auto found = std::find_if(common.begin(), common.end(), isNamed);
    if (found != common.end()) return &*found;
    if (command == nullptr) return nullptr;
    const auto own = std::find_if(command->options.begin(), command->options.end(), isNamed);
    return own == command->options.end() ? nullptr : &*own;
}

bool looksLikeOption(std::string_view word) {
    if (word.size() < 2 || word[0] != '-') return false;
    return word.find_first_of("0123456789.") != 1;
}

/// Long names may have one dash, as Go programs take them: `-target a:b`.
std::string withTwoDashes(const Command* command, const std::string& word) {
    if (word.starts_with("--") || word.size() == 2) return word;
    const auto longer = '-' + word;
    return named(command, longer.substr(0, longer.find('='))) == nullptr ? word : longer;
}

/// `--name=VALUE` and `-XVALUE` carry their value with them.
struct SplitOption {
    std::string_view name;
    std::optional<std::string_view> value;
};

SplitOption split(std::string_view word) {
    if (word.starts_with("--")) {
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) return {word, {}};
        return {word.substr(0, equals), word.substr(equals + 1)};
    }
    if (word.size() == 2) return {word, {}};
    return {word.substr(0, 2), word.substr(2)};
}

/// Goes through the words once; the first thing that is wrong ends it.
class Parser {
  public:
    explicit Parser(const std::vector<std::string>& words) : words_(words) {}

    Parsed parse() {
        while (parsed_.error.empty() && next_ < words_.size()) takeWord(words_[next_++]);
        if (!parsed_.error.empty()) takeJson();
        if (parsed_.error.empty() && parsed_.command != nullptr && !parsed_.call.has("--help")) {
            checkCount();
        }
        return std::move(parsed_);
    }

  private:
    void takeWord(const std::string& word) {
        if (!optionsEnded_ && word == "--")
            optionsEnded_ = true;
        else if (!optionsEnded_ && looksLikeOption(word))
            takeOption(word);
        else if (parsed_.command == nullptr)
            takeCommand(word);
        else
            parsed_.call.arguments.push_back(word);
    }

    /// Also the call form, as one word: ncctl 'showchannel("A")'.
    void takeCommand(const std::string& word) {
        auto line = isCallForm(word) ? splitLine(word) : Line{{word}, {}};
        parsed_.error = line.error;
        if (!parsed_.error.empty()) return;
        parsed_.command = findCommand(line.words.front());
        if (parsed_.command == nullptr) {
            parsed_.error = "there is no command `" + line.words.front() + "`; `help` lists them";
        }
        parsed_.call.arguments.assign(line.words.begin() + 1, line.words.end());
    }

    /// How an error is to be shown may stand behind it.
    void takeJson() {
        const auto rest = words_.begin() + static_cast<std::ptrdiff_t>(next_);
        if (std::find(rest, words_.end(), "--json") != words_.end()) store(common.front(), {});
    }

    void takeOption(const std::string& typed) {
        const auto word = withTwoDashes(parsed_.command, typed);
        const auto [name, value] = split(word);
        const Option* option = named(parsed_.command, name);
        if (option == nullptr) {
            parsed_.error = "there is no option " + typed.substr(0, typed.find('='));
        } else if (option->argument.empty() && value) {
            parsed_.error = std::string(name) + " takes no value";
        } else if (option->argument.empty() || value) {
            store(*option, std::string(value.value_or("")));
        } else if (next_ < words_.size()) {
            store(*option, words_[next_++]);
        } else {
            parsed_.error = std::string(name) + " needs a value: " + std::string(option->argument);
        }
    }

    void store(const Option& option, std::string value) {
        parsed_.call.options.insert_or_assign(std::string(option.name), std::move(value));
    }

    void checkCount() {
        const auto [least, most] = arityOf(parsed_.command->arguments);
        const auto count = parsed_.call.arguments.size();
        if (count >= least && (!most || count <= *most)) return;
        parsed_.error = std::string(count < least ? "too few" : "too many") +
                        " arguments; usage: " + usageLine(*parsed_.command);
    }

    const std::vector<std::string>& words_;
    std::size_t next_ = 0;
    bool optionsEnded_ = false;
    Parsed parsed_;
};

}  // namespace

std::span<const Option> commonOptions() {
    return common;
}

const Option* findOption(const Command* command, std::string_view word) {
    return named(command, withTwoDashes(command, std::string(word)));
}

Parsed parseWords(const std::vector<std::string>& words) {
    return Parser(words).parse();
}

Arity arityOf(std::string_view arguments) {
    Arity arity{0, 0};
    while (!arguments.empty()) {
        const auto word = arguments.substr(0, arguments.find(' '));
        if (!word.starts_with('[')) ++arity.least;
        if (arity.most) ++*arity.most;
        if (word.find("…") != std::string_view::npos) arity.most.reset();
        arguments.remove_prefix(std::min(word.size() + 1, arguments.size()));
    }
    return arity;
}

std::optional<std::chrono::milliseconds> parseSeconds(std::string_view text) {
    constexpr double year = 366.0 * 86400;  // secondsTaken says so
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    if (!(seconds > 0 && seconds <= year)) return {};
    const auto milliseconds = std::chrono::duration<double, std::milli>(seconds * 1000);
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(milliseconds),
                    std::chrono::milliseconds(1));
}

std::optional<std::size_t> parseCount(std::string_view text) {
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count == 0) return {};
    return count;
}

}  // namespace netcluster::ctl
