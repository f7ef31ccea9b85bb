// Makes the manual pages and the shell completions while netcluster is built:
//
//     netcluster_manual TEMPLATES SCHEMA OUTPUT DAY
//
// from the files of the folder TEMPLATES, config.schema.json and the tables of the programs, into
// the folder OUTPUT. DAY: the date that the pages bear, as 2026-11-21. Whatever is wrong ends the
// build.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "json_keys.hpp"
#include "program.hpp"
#include "roff.hpp"
#include "shells.hpp"

namespace {

using namespace netcluster::manual;
namespace files = std::filesystem;

std::string readFile(const files::path& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

class Maker {
  public:
    Maker(files::path templates, files::path output, std::string day)
        : templates_(std::move(templates)), output_(std::move(output)), day_(std::move(day)) {}

    void page(const std::string& name, Pieces pieces) const {
        pieces["DAY"] = day_ + "\n";
        pieces["VERSION"] = NETCLUSTER_VERSION "\n";
        make(name, name, pieces);
    }

    void make(const std::string& from, const std::string& name, const Pieces& pieces) const {
        try {
            std::ofstream file(output_ / name);
            file << filled(readFile(templates_ / from), pieces);
            if (!file.flush()) throw std::runtime_error("cannot write it");
        } catch (const std::exception& error) {
            throw std::runtime_error(name + ": " + error.what());
        }
    }

  private:
    files::path templates_;
    files::path output_;
    std::string day_;
};

void makeAll(const Maker& maker, const Schema& schema) {
    const Program daemon = ncserver();
    const Program tool = ncctl();
    const Program worker = ncworker();
    maker.page("ncserver.8", {{"OPTIONS", optionsRoff(daemon.options)}});
    maker.page("ncctl.1",
               {{"OPTIONS", optionsRoff(tool.options)}, {"COMMANDS", commandsRoff(tool.commands)}});
    maker.page("ncworker.1", {{"OPTIONS", optionsRoff(worker.options)}});
    maker.page("netcluster.json.5", {{"DOCUMENT_KEYS", documentKeysRoff(schema)},
                                     {"CHANNEL_KEYS", channelKeysRoff(schema)}});
    for (const Program& program : {daemon, tool, worker}) {
        maker.make("completion.bash", program.name + ".bash", bashPieces(program));
        maker.make(program.name + ".zsh", "_" + program.name, zshPieces(program));
        maker.make(program.name + ".fish", program.name + ".fish", fishPieces(program));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 4) {
        std::cerr << "usage: netcluster_manual TEMPLATES SCHEMA OUTPUT DAY\n";
        return 2;
    }
    try {
        files::create_directories(words[2]);
        makeAll(Maker(words[0], words[2], words[3]), Schema::parse(readFile(words[1])));
    } catch (const std::exception& error) {
        std::cerr << "netcluster_manual: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
