// What networks do to datagrams, done by the kernel to those of a laboratory, at random: lost at a
// receiver, doubled on the way, late. Of single datagrams: the hosts must be joined by a switch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lab.hpp"

namespace netcluster::scenario {

/// Drops this share of the UDP datagrams that arrive at the host, and of those only the ones that
/// match `which` (an nft expression). Each call replaces the one before; 0 ends it.
void dropAtRandom(const NetworkNamespace& host, double percent, std::string_view which = "");
/// How many were dropped since the last call of dropAtRandom.
std::uint64_t dropped(const NetworkNamespace& host);

/// This share of the UDP datagrams to the host arrives twice.
void duplicateTowards(const Lab& lab, const Host& host, int percent);
/// This share of the UDP datagrams to the host takes a slow queue (8 Mbit/s, 16 datagrams) and is
/// overtaken by up to 20 ms of others. What does not fit the queue is lost.
void delayTowards(const Lab& lab, const Host& host, int percent);
/// How many were doubled, or sent the slow way.
std::uint64_t disturbed(const Lab& lab, const Host& host);

/// Counts the UDP datagrams that the host sends from now on.
void countSent(const NetworkNamespace& host);
std::uint64_t sentSince(const NetworkNamespace& host);

}  // namespace netcluster::scenario
