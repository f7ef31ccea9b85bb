// ncserver install|uninstall|start|stop|reload|run
#include <array>
#include <filesystem>
#include <iostream>
#include <vector>

#include "command_line.hpp"
#include "data_folder.hpp"
#include "event_log.hpp"
#include "parse.hpp"
#include "registry.hpp"
#include "service_control.hpp"
#include "service_names.hpp"
#include "service_process.hpp"
#include "setup.hpp"
#include "win32.hpp"

namespace netcluster::service {
namespace {

namespace fs = std::filesystem;

constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

int fail(const std::string& what, int status = exitFailed) {
    std::cerr << "ncserver: " << what << '\n';
    return status;
}

std::wstring given(const CLI::App& app, const char* option) {
    const CLI::Option* found = app.get_option_no_throw(option);
    return found && found->count() > 0 ? wide(found->as<std::string>()) : std::wstring{};
}

// ---- install

/// False, and everything that is wrong with it is said.
bool isValid(const fs::path& file) {
    const config::Parsed parsed = config::load(file);
    for (const auto& problem : parsed.problems) std::cerr << problem.text() << '\n';
    return parsed.settings.has_value();
}

/// The default configuration, where there is none yet.
void provideConfig(const fs::path& place) {
    if (fs::exists(place)) return;
    const fs::path example = fs::path(programPath()).parent_path() / "config.json";
    if (!fs::exists(example)) {
        throw Error("no configuration: none is named, and there is neither " +
                    narrow(place.wstring()) + " nor " + narrow(example.wstring()));
    }
    fs::copy_file(example, place);
    std::cout << narrow(place.wstring()) << ": the default configuration\n";
}

/// The one named, else the one that is in force, else that of the data folder.
fs::path chooseConfig(const CLI::App& app) {
    std::wstring named = given(app, "CONFIG");
    if (named.empty()) named = given(app, "--config");
    if (named.empty()) named = readString(settingsKey, configValue).value_or(std::wstring{});
    if (!named.empty()) return fs::absolute(named);
    requireTrustedFile(dataConfig());
    provideConfig(dataConfig());
    return dataConfig();
}

/// What the service is started with. The configuration is not part of it: it is in the registry, as
/// in 1.x.
std::wstring serviceCommandLine(const CLI::App& app) {
    std::vector<std::wstring> words{programPath()};
    for (const char* option : {"--rundir", "--log-level", "--log-file", "--pid-file"}) {
        std::wstring value = given(app, option);
        if (value.empty()) continue;
        const bool isPath = std::string_view(option) != "--log-level";
        words.push_back(wide(option));
        words.push_back(isPath && !value.starts_with(L"\\\\") ? fs::absolute(value).wstring()
                                                              : value);
    }
    return commandLine(words);
}

StartType startType(const CLI::App& command) {
    const std::wstring type = given(command, "--start-type");
    if (type == L"manual") return StartType::manual;
    return type == L"automatic" ? StartType::automatic : StartType::delayed;
}

int install(const CLI::App& app, const CLI::App& command) {
    requireAdministrator();
    makeDataFolder();
    const fs::path config = chooseConfig(app);
    if (!isValid(config)) {
        return fail("the configuration is refused; nothing is installed", exitUsage);
    }
    const Installed installed = putInTable(serviceCommandLine(app), startType(command));
    writeString(settingsKey, configValue, config.wstring());
    registerEventSource(programPath());
    std::cout << (installed == Installed::anew ? "netcluster is installed"
                                               : "netcluster was installed already; it is up to "
                                                 "date")
              << ", configuration " << narrow(config.wstring()) << '\n';
    return 0;
}

int uninstall() {
    const Removed removed = takeOutOfTable();
    removeValue(settingsKey, configValue);
    removeEmptyKey(settingsKey);
    removeEventSource();
    if (removed == Removed::absent) {
        std::cout << "netcluster was not installed\n";
    } else {
        std::cout << "netcluster is " << (removed == Removed::running ? "stopped and " : "")
                  << "removed; " << narrow(dataFolder()) << " is left as it is\n";
    }
    return 0;
}

// ---- start, stop, reload

/// Why it did not start, as far as can be seen from here.
int explain(const Started& started) {
    if (started.exitStatus == exitUsage) {
        const std::string file = systemConfigFile();
        if (!file.empty()) isValid(wide(file));
        return fail("netcluster did not start: the configuration is refused", exitUsage);
    }
    return fail("netcluster did not start (exit status " + std::to_string(started.exitStatus) +
                "); the event log, Application, source netcluster, says why");
}

int start() {
    const Started started = startService();
    if (!started.running) return explain(started);
    std::cout << "netcluster " << (started.already ? "runs already\n" : "runs\n");
    return 0;
}

int stop() {
    std::cout << (stopService() ? "netcluster is stopped\n" : "netcluster did not run\n");
    return 0;
}

int reload() {
    askForReload();
    std::cout << "netcluster reads its configuration again; the event log says how it went "
                 "(ncctl reloadconfig tells it here)\n";
    return 0;
}

}  // namespace

std::string systemConfigFile() {
    if (const auto file = readString(settingsKey, configValue)) return narrow(*file);
    std::error_code error;
    const fs::path place = dataConfig();
    if (!fs::exists(place, error)) return "";
    requireTrustedFile(place);
    return narrow(place.wstring());
}

void describeCommands(CLI::App& app) {
    app.require_subcommand(0, 1);
    auto* install = app.add_subcommand(
        "install",
        "install the Windows service with this configuration, or bring it up to date; the other "
        "options are kept for it");
    install->add_option("--start-type", "delayed, automatic or manual (delayed)")
        ->check(CLI::IsMember({"delayed", "automatic", "manual"}));
    install->fallthrough();
    app.add_subcommand("uninstall", "stop the service and remove it");
    app.add_subcommand("start", "start the service, and wait until clients can connect");
    app.add_subcommand("stop", "stop the service, and wait until it has ended");
    app.add_subcommand("reload", "have the service read its configuration again");
    app.add_subcommand("run", "run in this console, whatever has started it")->fallthrough();
}

std::optional<int> runCommand(const CLI::App& app) {
    const auto commands = app.get_subcommands();
    if (commands.empty()) return {};
    const CLI::App& command = *commands.front();
    const std::string name = command.get_name();
    if (name == "install") return install(app, command);
    if (name == "uninstall") return uninstall();
    if (name == "start") return start();
    if (name == "stop") return stop();
    if (name == "reload") return reload();
    stayInConsole();
    return {};
}

}  // namespace netcluster::service
