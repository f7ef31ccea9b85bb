// Values of the daemon's answers, one by one, as text for people: what format.cpp, hosts.cpp and
// doctor.cpp have in common. Pure; nothing throws, whatever the shape of an answer. All text is
// safe for a terminal (escape.hpp). Any thread.
#pragma once

#include <cstdint>
#include <netcluster/event.hpp>
#include <string>

namespace netcluster::ctl {

/// Null when `object` is none, or has no such member.
const Json& member(const Json& object, const std::string& key);
/// Of members that may be missing or of another type: then `otherwise`.
std::string textIn(const Json& object, const std::string& key);
double numberIn(const Json& object, const std::string& key, double otherwise = 0);
bool flagIn(const Json& object, const std::string& key, bool otherwise = false);

/// A value in a cell or after a name: strings without quotes, lists of scalars with commas, `-` for
/// what is not there.
std::string cell(const Json& value);
/// "2 h 3 min": the two or more largest units that are not 0.
std::string duration(std::uint64_t seconds);
/// "208 KiB", "3.9 GiB".
std::string byteSize(double bytes);
/// With that many digits behind the point.
std::string fixed(double number, int digits);

}  // namespace netcluster::ctl
