#include "remote.hpp"

#include "message.hpp"

namespace netcluster::daemon::link {

Remote::Remote(RemoteContext& context, const wire::Uuid& session, std::string_view name)
    : context_(context),
      session_(session),
      name_(name),
      window_(context.budget, *this),
      reassembler_(messageLimit(context.maxEvent), context.budget) {}

void Remote::onData(Time now, const Data& data, std::string_view body) {
    if (data.sequence > endsAt_) return context_.events.onBad(Bad::afterEnd);
    // The whole body waits, not its parts: one piece of memory, read again when its turn comes.
    const OrderWindow::Result result = window_.add(now, data.sequence, body);
    if (result == OrderWindow::Result::taken) ++counts_.datagrams;
    judge(result);
}

void Remote::onHeartbeat(Time now, const Heartbeat& heartbeat) {
    host = heartbeat.host;
    version = heartbeat.version;
    uptime = heartbeat.uptime;
    judge(window_.announce(now, heartbeat.highest));
}

void Remote::onEnd(Time now, std::uint64_t highest) {
    if (ended) return;
    ended = true;
    endsAt_ = highest;
    judge(window_.announce(now, highest));
}

void Remote::expire(Time now) {
    window_.expire(now);
}

void Remote::dropUnfinished() {
    if (reassembler_.building()) reassembler_.missing();
}

void Remote::judge(OrderWindow::Result result) {
    switch (result) {
        case OrderWindow::Result::taken:
            return;
        case OrderWindow::Result::old:
            ++counts_.duplicates;
            return;
        case OrderWindow::Result::reset:
            // Whatever moved the numbers is not believed either: the next datagram joins anew.
            ++counts_.resets;
            window_.forget();
            reassembler_.reset();
            return;
    }
}

void Remote::inOrder(Time, std::string_view body) {
    Data data;
    if (const Bad bad = readData(body, data); bad != Bad::none) return context_.events.onBad(bad);
    if (data.form == Form::fragment) return takeFragment(data.content);
    reassembler_.boundary();
    if (data.form == Form::events) return takeEvents(data.content);
    std::uint32_t events = 0;
    if (const Bad bad = readDropped(data.content, events); bad != Bad::none) {
        return context_.events.onBad(bad);
    }
    counts_.droppedByHost += events;
    context_.events.onGap(
        {name_, GapReport::Why::droppedByHost, events, data.sequence, data.sequence});
}

void Remote::missing(std::uint64_t first, std::uint64_t last) {
    reassembler_.missing();
    ++counts_.gaps;
    counts_.lost += last - first + 1;
    context_.events.onGap({name_, GapReport::Why::lost, last - first + 1, first, last});
}

void Remote::takeEvents(std::string_view messages) {
    while (!messages.empty()) {
        wire::EventView event;
        if (const Bad bad = takeMessage(messages, context_.maxEvent, event); bad != Bad::none) {
            context_.events.onBad(bad);
            continue;
        }
        event.host = name_;
        ++counts_.events;
        context_.events.onEvent(event);
    }
}

void Remote::takeFragment(std::string_view content) {
    Fragment fragment;
    if (const Bad bad = readFragment(content, fragment); bad != Bad::none) {
        reassembler_.missing();
        return context_.events.onBad(bad);
    }
    switch (reassembler_.add(fragment)) {
        case Reassembler::Result::more:
        case Reassembler::Result::skipped:
            return;
        case Reassembler::Result::bad:
            return context_.events.onBad(Bad::fragment);
        case Reassembler::Result::noMemory:
            return context_.events.onBad(Bad::noMemory);
        case Reassembler::Result::complete:
            break;
    }
    std::string_view message = reassembler_.message();
    takeEvents(message);
    reassembler_.boundary();  // delivered: its memory is free again
}

}  // namespace netcluster::daemon::link
