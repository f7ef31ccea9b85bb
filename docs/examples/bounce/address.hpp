// What both programs of this example do: read an address to listen on.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <stdexcept>
#include <string>

/// "ADDRESS:PORT" or "[v6]:PORT"; port 0 is any that is free.
inline boost::asio::ip::tcp::endpoint endpointFrom(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error(text + " is not ADDRESS:PORT");
    std::string address = text.substr(0, colon);
    if (address.size() > 1 && address.front() == '[') address = address.substr(1, colon - 2);
    const unsigned long port = std::stoul(text.substr(colon + 1));
    if (port > 65535) throw std::runtime_error(text + ": there is no such port");
    return {boost::asio::ip::make_address(address), static_cast<unsigned short>(port)};
}
