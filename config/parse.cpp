#include "parse.hpp"

#include "checks.hpp"
#include "jsonc.hpp"
#include "read_file.hpp"
#include "report.hpp"
#include "section.hpp"

namespace netcluster::config {
namespace {

Settings readDocument(const Node& document, Report& report) {
    Settings settings;
    const Value value{document, "", report};
    const auto* members = document.as<Node::Object>();
    if (members == nullptr) {
        value.mustBe("an object");
        return settings;
    }
    readSection(value, *members, documentKeys(), settings, [&](const Member& member) {
        reportUnknownKey(member, value, documentKeyNames(), channelKeyNames(), "inside a channel");
    });
    checkTogether(document, settings, report);
    return settings;
}

Parsed refused(const std::string& file, const std::string& what) {
    return {std::nullopt, {{file, 0, 0, "", what}}, {}};
}

}  // namespace

Parsed parse(std::string_view text, const std::string& file) {
    if (text.size() > maxConfigBytes) return refused(file, "is larger than 1 MiB");
    Report report(file);
    const auto document = readJsonc(text, report);
    if (!document) return report.finish({});
    Settings settings = readDocument(*document, report);
    return report.finish(std::move(settings));
}

Parsed load(const std::filesystem::path& path) {
    const std::string file = path.string();
    const FileText read = readFile(path, maxConfigBytes);
    if (!read.text) return refused(file, read.whyNot);
    Parsed parsed = parse(*read.text, file);
    if (read.openToAll) {
        parsed.warnings.insert(parsed.warnings.begin(),
                               {file, 0, 0, "", "every user of this host may write to it"});
    }
    return parsed;
}

}  // namespace netcluster::config
