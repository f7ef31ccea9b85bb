#include "path.hpp"

#include <spdlog/spdlog.h>

namespace netcluster::daemon::link {
namespace {

// A path that fails and works by turns is not worth a line each time.
constexpr std::chrono::seconds complaintPause{30};

}  // namespace

bool Path::offer(Time now, std::string_view datagram) {
    boost::system::error_code error;
    switch (socket_->send(datagram, to_, error)) {
        case Sent::yes:
            ++counts_.datagrams;
            counts_.bytes += datagram.size();
            fullSince_.reset();
            if (inTrouble_) spdlog::info("link: sending on {} works again", label_);
            inTrouble_ = false;
            return true;
        case Sent::full:
            return full(now);
        case Sent::tooBig:
            ++counts_.tooBig;
            if (!saidTooBig_) {
                spdlog::warn("link: {} bytes are more than the MTU of {} lets pass",
                             datagram.size(), label_);
            }
            saidTooBig_ = true;
            return true;
        case Sent::failed:
            ++counts_.failed;
            complain(now, error.message());
            return true;
    }
    return true;
}

bool Path::full(Time now) {
    if (!fullSince_) fullSince_ = now;
    if (now - *fullSince_ < pathPatience) return false;
    ++counts_.skipped;
    complain(now, "it takes nothing any more");
    return true;
}

void Path::complain(Time now, const std::string& why) {
    if (complained_ && now - *complained_ < complaintPause) return;
    complained_ = now;
    inTrouble_ = true;
    spdlog::warn("link: cannot send on {}: {}", label_, why);
}

}  // namespace netcluster::daemon::link
