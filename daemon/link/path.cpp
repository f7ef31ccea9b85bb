#include "path.hpp"

#include <algorithm>

#include "log.hpp"

namespace netcluster::daemon::link {
namespace {

// A path that fails and works by turns is not worth a line each time.
constexpr std::chrono::seconds complaintPause{30};

}  // namespace

bool Path::offer(Time now, const Batch& batch) {
    const std::size_t count = batch.count();
    while (done_ < count) {
        const std::size_t more = attempt(now, batch.rest(done_));
        if (more == 0 && !full(now, count - done_)) return false;
        done_ = more == 0 ? count : done_ + more;
    }
    done_ = 0;
    return true;
}

void Path::offerOnce(Time now, std::string_view datagram) {
    attempt(now, Batch(datagram));
}

// How many of the first datagrams are settled; none when the path is full.
std::size_t Path::attempt(Time now, const Batch& batch) {
    boost::system::error_code error;
    std::size_t sent = 0;
    switch (socket_->send(batch, to_, sent, error)) {
        case Sent::yes:
            counts_.datagrams += sent;
            counts_.bytes += std::min(batch.bytes.size(), sent * batch.stride);
            fullSince_.reset();
            if (inTrouble_) log::info("link: sending on {} works again", label_);
            inTrouble_ = false;
            return sent;
        case Sent::full:
            return 0;
        case Sent::tooBig:
            ++counts_.tooBig;
            if (!saidTooBig_) {
                log::warn("link: {} bytes are more than the MTU of {} lets pass",
                          batch.datagram(0).size(), label_);
            }
            saidTooBig_ = true;
            return 1;
        case Sent::failed:
            ++counts_.failed;
            complain(now, error.message());
            return 1;
    }
    return 1;
}

bool Path::full(Time now, std::size_t left) {
    if (!fullSince_) fullSince_ = now;
    if (now - *fullSince_ < pathPatience) return false;
    counts_.skipped += left;
    complain(now, "it takes nothing any more");
    return true;
}

void Path::complain(Time now, const std::string& why) {
    if (complained_ && now - *complained_ < complaintPause) return;
    complained_ = now;
    inTrouble_ = true;
    log::warn("link: cannot send on {}: {}", label_, why);
}

}  // namespace netcluster::daemon::link
