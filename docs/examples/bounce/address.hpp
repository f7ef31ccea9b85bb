// What both programs of this example do: read an address to listen on.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <stdexcept>
#include <string>

#include "../number.hpp"

/// "ADDRESS:PORT" or "[v6]:PORT"; port 0 is any that is free. Throws std::invalid_argument.
inline boost::asio::ip::tcp::endpoint endpointFrom(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const auto port = colon == std::string::npos
                          ? std::nullopt
                          : numberFrom<unsigned short>(std::string_view(text).substr(colon + 1));
    std::string address = text.substr(0, port ? colon : 0);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, colon - 2);
    boost::system::error_code error;
    const auto found = boost::asio::ip::make_address(address, error);
    if (error) throw std::invalid_argument(text + " is not ADDRESS:PORT, as in 127.0.0.1:8080");
    return {found, *port};
}
