// The parts of service/windows that need no service manager. What needs one is in run.sh.
#include <doctest/doctest.h>
// First of the system's.
#include <windows.h>
// After it.
#include <sddl.h>
#include <shellapi.h>

#include <boost/uuid/detail/sha1.hpp>
#include <filesystem>

#include "command_line.hpp"
#include "data_folder.hpp"
#include "event_log.hpp"
#include "registry.hpp"
#include "service_names.hpp"
#include "win32.hpp"

using namespace netcluster;
using namespace netcluster::service;

namespace {

std::vector<std::wstring> takenApart(const std::wstring& line) {
    int count = 0;
    const LocalMemory<wchar_t*> words(CommandLineToArgvW(line.c_str(), &count));
    return {words.get(), words.get() + count};
}

/// As Windows writes a descriptor back that it has read; it knows each part then.
std::wstring writtenBack(const std::wstring& text) {
    PSECURITY_DESCRIPTOR read = nullptr;
    REQUIRE(ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1,
                                                                 &read, nullptr));
    const LocalMemory<void> descriptor(read);
    wchar_t* written = nullptr;
    REQUIRE(ConvertSecurityDescriptorToStringSecurityDescriptorW(
        read, SDDL_REVISION_1,
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
        &written, nullptr));
    const LocalMemory<wchar_t> owner(written);
    return written;
}

/// S-1-5-80 and SHA-1 of the name in capitals, five numbers, low byte first.
std::wstring sidOfService(std::wstring name) {
    for (wchar_t& letter : name) letter = static_cast<wchar_t>(towupper(letter));
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(name.data(), name.size() * sizeof(wchar_t));
    unsigned words[5];
    hash.get_digest(words);
    std::wstring sid = L"S-1-5-80";
    for (const unsigned word : words) sid += L"-" + std::to_wstring(__builtin_bswap32(word));
    return sid;
}

const wchar_t* const testKey = L"Software\\Netcluster-test";

}  // namespace

TEST_CASE("a command line is taken apart into the words it was made of") {
    const std::vector<std::wstring> words{L"C:\\Program Files\\netcluster\\ncserver.exe",
                                          L"--log-file",
                                          L"C:\\a folder\\",
                                          L"",
                                          L"say \"hello\"",
                                          L"\\\\server\\share\\\\",
                                          L"back\\\"slash",
                                          L"\u00fc\u6f22 tab\there"};
    CHECK(takenApart(commandLine(words)) == words);
}

TEST_CASE("the program of a command line is quoted, whatever its path") {
    CHECK(commandLine({L"C:\\a b\\x.exe"}) == L"\"C:\\a b\\x.exe\"");
    CHECK(commandLine({L"C:\\x.exe", L"-t"}) == L"\"C:\\x.exe\" \"-t\"");
}

TEST_CASE("the service's identity is the one Windows makes of its name") {
    // One that is known everywhere, to see that this test makes them well.
    CHECK(sidOfService(L"TrustedInstaller") ==
          L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    CHECK(sidOfService(serviceName) == serviceSid);
}

TEST_CASE("the data folder: Windows and administrators all, the service reads, nobody else") {
    const std::wstring sid = serviceSid;
    CHECK(writtenBack(folderRights()) ==
          L"O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;" + sid + L")");
    CHECK(writtenBack(writableFolderRights()) ==
          L"O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" + sid + L")");
    CHECK(writtenBack(runFolderRights()) ==
          writtenBack(writableFolderRights()) + L"(A;;0x1200a9;;;BU)");
}

TEST_CASE("text goes to UTF-16 and back") {
    const std::string text = "\xc3\xbc \xe6\xbc\xa2 \xf0\x9f\x98\x80";
    CHECK(wide(text) == L"\u00fc \u6f22 \U0001f600");
    CHECK(narrow(wide(text)) == text);
    CHECK(wide("").empty());
}

TEST_CASE("a line for the event log has nothing that the Event Viewer would fill in") {
    CHECK(withoutPlaces(L"peer [fe80::1%3]:4454") == L"peer [fe80::1% 3]:4454");
    CHECK(withoutPlaces(L"%%9 %1") == L"% % 9 % 1");
    CHECK(withoutPlaces(L"90 % of 100%, %n") == L"90 % of 100%, %n");
    CHECK(withoutPlaces(L"%").size() == 1);
    CHECK(withoutPlaces(L"").empty());
}

TEST_CASE("an error is told in words, on one line, with its number") {
    const std::string text = errorText(ERROR_ACCESS_DENIED);
    CHECK(text.ends_with(" (5)"));
    CHECK(text.size() > 8);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(errorText(0xdeadbeef).ends_with("(3735928559)"));
}

TEST_CASE("the registry: what is written is read, what is removed is gone, with its key") {
    try {
        writeString(testKey, L"conf", L"C:\\a b\\\u00fc.json");
    } catch (const Error& error) {
        MESSAGE("skipped, for administrators only: " << error.what());
        return;
    }
    CHECK(readString(testKey, L"conf") == L"C:\\a b\\\u00fc.json");
    writeString(testKey, L"conf", L"");
    CHECK(readString(testKey, L"conf") == L"");
    writeString(testKey, L"conf", L"%SystemRoot%\\x", true);
    CHECK(readString(testKey, L"conf") != L"%SystemRoot%\\x");
    CHECK(readString(testKey, L"conf")->ends_with(L"\\x"));
    removeEmptyKey(testKey);
    CHECK(readString(testKey, L"conf"));  // it was not empty
    removeValue(testKey, L"conf");
    removeValue(testKey, L"conf");
    CHECK_FALSE(readString(testKey, L"conf"));
    removeEmptyKey(testKey);
    removeEmptyKey(testKey);
    HKEY key = nullptr;
    CHECK(RegOpenKeyExW(HKEY_LOCAL_MACHINE, testKey, 0, KEY_READ, &key) == ERROR_FILE_NOT_FOUND);
}

TEST_CASE("the program holds a plain text for each kind of entry in the event log") {
    const auto program = std::filesystem::path(programPath()).parent_path() / NETCLUSTER_NCSERVER;
    const HMODULE module = LoadLibraryExW(program.c_str(), nullptr, LOAD_LIBRARY_AS_DATAFILE);
    REQUIRE(module);
    for (const unsigned long entry : {0x40000001ul, 0x80000002ul, 0xc0000003ul}) {
        wchar_t line[] = L"a line of the log";
        wchar_t* inserts[] = {line};
        wchar_t text[100] = {};
        FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, module, entry,
                       0, text, 100, reinterpret_cast<va_list*>(inserts));
        CHECK(std::wstring(text) == L"a line of the log\r\n");
    }
    for (const wchar_t* type : {L"#24", L"#16"}) {  // manifest, version
        CHECK(FindResourceW(module, L"#1", type) != nullptr);
    }
    FreeLibrary(module);
}
