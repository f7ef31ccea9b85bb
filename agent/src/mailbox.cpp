#include "mailbox.hpp"

#include <algorithm>
#include <iostream>

#include "hearing.hpp"

namespace netcluster {
namespace {

// Items one executor task runs before others of that executor get their turn.
constexpr std::size_t itemsPerTask = 64;

// Any longer and the clock's arithmetic overflows.
constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);

// Two gaps of one kind without an event between them are one.
bool join(Gap& into, const Gap& more) {
    if (into.host != more.host || into.why != more.why) return false;
    if (into.count == 0 || into.first == 0) into.first = more.first;
    if (more.last != 0) into.last = more.last;
    into.count += more.count;
    return true;
}

}  // namespace

Mailbox::Place Mailbox::placeFor(const Options& options) {
    if (options.executor && options.poll) {
        throw Error("Options::executor and Options::poll exclude each other");
    }
    if (options.poll) return Place::poll;
    return options.executor ? Place::executor : Place::thread;
}

Mailbox::Mailbox(std::shared_ptr<Emitter> emitter, std::string channel, const Options& options)
    : emitter_(std::move(emitter)),
      channel_(std::move(channel)),
      place_(placeFor(options)),
      capacity_(options.waitingLimit),
      executor_(std::make_shared<const Executor>(options.executor)) {}

// -- handlers

template <typename Handler>
Mailbox::Slot<Handler> Mailbox::slotFor(std::function<Handler> handler) {
    if (!handler) return {};
    return std::make_shared<const std::function<Handler>>(std::move(handler));
}

template <typename Handler>
void Mailbox::set(Slot<Handler>& slot, std::function<Handler> handler) {
    Slot<Handler> fresh = slotFor(std::move(handler));
    const std::lock_guard lock(mutex_);
    slot.swap(fresh);  // the old one goes after the lock: its captures may come back to us
}

template <typename Handler>
Mailbox::Slot<Handler> Mailbox::handlerIn(const Slot<Handler>& slot) const {
    const std::lock_guard lock(mutex_);
    return slot;
}

template <typename Handler, typename... Arguments>
void Mailbox::call(const Slot<Handler>& slot, const Arguments&... arguments) {
    run(handlerIn(slot), arguments...);
}

template <typename Handler, typename... Arguments>
void Mailbox::run(const Slot<Handler>& handler, const Arguments&... arguments) {
    if (!handler) return;
    try {
        (*handler)(arguments...);
    } catch (const std::exception& error) {
        failed(std::string("a handler threw: ") + error.what());
    } catch (...) {
        failed("a handler threw something that is not a std::exception");
    }
}

void Mailbox::setOnConnect(std::function<void()> handler) {
    set(onConnect_, std::move(handler));
}
void Mailbox::setOnDisconnect(std::function<void(const std::string&)> handler) {
    set(onDisconnect_, std::move(handler));
}
void Mailbox::setOnGap(std::function<void(const Gap&)> handler) {
    set(onGap_, std::move(handler));
}
void Mailbox::setOnPresence(std::function<void(const Presence&)> handler) {
    watch(user_, std::move(handler));
}
void Mailbox::setTasksOnPresence(std::function<void(const Presence&)> handler) {
    watch(tasks_, std::move(handler));
}
void Mailbox::watch(Watcher& watcher, std::function<void(const Presence&)> handler) {
    Slot<void(const Presence&)> fresh = slotFor(std::move(handler));
    const std::lock_guard lock(mutex_);
    watcher.number = ++watchers_;
    watcher.handler.swap(fresh);
}
void Mailbox::setOnNodeLost(std::function<void(const std::string&, const std::string&)> handler) {
    set(onNodeLost_, std::move(handler));
}
void Mailbox::setOnError(std::function<void(const std::string&)> handler) {
    set(onError_, std::move(handler));
}

void Mailbox::failed(const std::string& what) {
    const Run run(*this);
    const auto handler = run ? handlerIn(onError_) : nullptr;
    try {
        if (handler) return (*handler)(what);
    } catch (...) {
        // Whoever reports errors by throwing them gets the line below, too.
    }
    std::cerr << "netcluster: channel " + channel_ + ": " + what + "\n";
}

// -- what comes in

void Mailbox::keep(std::shared_ptr<const KeptEvent> event) {
    Item item;
    item.event = std::move(event);
    push(std::move(item));
}

void Mailbox::connected() {
    if (std::exchange(known_, true)) return;
    notice([this] { call(onConnect_); });
}

void Mailbox::disconnected(const std::string& reason) {
    if (!std::exchange(known_, false)) return;
    notice([this, reason] { call(onDisconnect_, reason); });
}

void Mailbox::gap(const Gap& gap) {
    if (gap.count == 0 && gap.why != Gap::Why::reset) return;
    Item item;
    item.gap = gap;
    if (place_ == Place::thread) return handle(item);
    push(std::move(item));
}

void Mailbox::around(const Around& now, const Change& change) {
    tellAround(tasks_, now, change);
    tellAround(user_, now, change);
}

// A new handler knows of nobody.
void Mailbox::tellAround(Watcher& watcher, const Around& now, const Change& change) {
    std::uint64_t handler = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!watcher.handler) return;
        handler = watcher.number;
    }
    const bool isNew = std::exchange(watcher.toldTo, handler) != handler;
    if (isNew) watcher.told.clear();
    for (auto& presence : watcher.told.learn(now, isNew ? Change{Change::What::all} : change)) {
        Item item;
        item.presence = std::move(presence);
        item.handler = handler;
        item.droppable = false;
        if (place_ == Place::thread) {
            handle(item);
        } else {
            push(std::move(item));
        }
    }
}

void Mailbox::tell(const Presence& presence, std::uint64_t handler) {
    Slot<void(const Presence&)> current;
    {
        const std::lock_guard lock(mutex_);
        // Another one that was set since is told anew.
        for (const Watcher* watcher : {&tasks_, &user_}) {
            if (handler == watcher->number) current = watcher->handler;
        }
    }
    run(current, presence);
}

void Mailbox::nodeLost(const std::string& id, const std::string& why) {
    notice([this, id, why] {
        if (const auto handler = handlerIn(onNodeLost_)) return run(handler, id, why);
        failed("node '" + id + "' is no more: " + why);
    });
}

void Mailbox::trouble(const std::string& what) {
    notice([this, what] { failed(what); });
}

void Mailbox::complete(std::function<void()> done) {
    notice(std::move(done), false);
}

void Mailbox::notice(std::function<void()> run, bool droppable) {
    Item item;
    item.notice = std::move(run);
    item.droppable = droppable;
    if (place_ == Place::thread) return handle(item);
    push(std::move(item));
}

void Mailbox::push(Item item) {
    {
        const std::lock_guard lock(mutex_);
        if (gone) return;
        if (item.gap && !items_.empty() && items_.back().gap &&
            join(*items_.back().gap, *item.gap)) {
            return;
        }
        if (item.presence && neverKnown(*item.presence, item.handler)) return;
        bytes_ += item.size();
        if (item.isOvertakable()) ++overtakable_;
        items_.push_back(std::move(item));
        while (bytes_ > capacity_ && items_.size() > 1 && dropOldest()) {
        }
    }
    if (place_ == Place::poll) return arrived_.notify_one();
    schedule();
}

// Of somebody who goes before the user was told that they came, nothing is told; of what a node
// says, the last alone. So what is kept about them, which is never dropped, does not grow with the
// number of times they come, change and go. True when this one need not be told.
bool Mailbox::neverKnown(const Presence& presence, std::uint64_t handler) {
    using Kind = Presence::Kind;
    if (overtakable_ == 0) return false;  // when many go at once, not all is searched for each
    const auto takeOut = [&](Kind kind) {
        const auto waiting = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
            return item.presence && item.handler == handler && item.presence->kind == kind &&
                   item.presence->id == presence.id;
        });
        if (waiting == items_.end()) return false;
        bytes_ -= waiting->size();
        --overtakable_;
        items_.erase(waiting);
        return true;
    };
    switch (presence.kind) {
        case Kind::hostOnline:
        case Kind::nodeOnline:
            return false;
        case Kind::hostExpired:
            return takeOut(Kind::hostOnline);
        case Kind::nodeChanged:
            takeOut(Kind::nodeChanged);
            return false;
        case Kind::nodeExpired:
            takeOut(Kind::nodeChanged);
            return takeOut(Kind::nodeOnline);
    }
    return false;
}

std::uint64_t Mailbox::Item::events() const {
    if (event) return 1;
    return gap ? std::max<std::uint64_t>(gap->count, 1) : 0;
}

bool Mailbox::dropOldest() {
    const auto oldest =
        std::find_if(items_.begin(), items_.end(), [](const Item& item) { return item.droppable; });
    if (oldest == items_.end()) return false;
    dropped_ += oldest->events();
    bytes_ -= oldest->size();
    items_.erase(oldest);
    return true;
}

// -- what goes out

std::optional<Mailbox::Item> Mailbox::pop() {
    const std::lock_guard lock(mutex_);
    Item item;
    if (dropped_ != 0) {
        item.gap.emplace().count = std::exchange(dropped_, 0);
        return item;
    }
    if (items_.empty()) return {};
    item = std::move(items_.front());
    bytes_ -= item.size();
    if (item.isOvertakable()) --overtakable_;
    items_.pop_front();
    return item;
}

void Mailbox::handle(const Item& item) {
    if (item.event) return handleEvent(*item.event);
    const Run run(*this);
    if (!run) return;
    if (item.gap) return call(onGap_, *item.gap);
    if (item.presence) return tell(*item.presence, item.handler);
    try {
        item.notice();
    } catch (const std::exception& error) {
        failed(std::string("a callback threw: ") + error.what());
    } catch (...) {
        failed("a callback threw something that is not a std::exception");
    }
}

void Mailbox::handleEvent(const KeptEvent& kept) {
    Event event = EventAccess::blank();
    EventAccess::fill(event, kept.view());
    try {
        Hearing(*emitter_, kept.view().name).runFor(event, *this);
    } catch (const Error& error) {
        failed(std::string("an event was not delivered: ") + error.what());
    }
}

void Mailbox::schedule() {
    // A Run, so that `close` waits for it: the executor may be gone right after the agent.
    const Run run(*this);
    if (!run) return;
    std::shared_ptr<const Executor> executor;
    {
        const std::lock_guard lock(mutex_);
        if (scheduled_ || !executor_ || (items_.empty() && dropped_ == 0)) return;
        scheduled_ = true;
        executor = executor_;
    }
    try {
        (*executor)([self = shared_from_this()] { self->runScheduled(); });
    } catch (const std::exception& error) {
        {
            const std::lock_guard lock(mutex_);
            scheduled_ = false;
        }
        failed(std::string("the executor threw: ") + error.what());
    }
}

void Mailbox::runScheduled() {
    for (std::size_t i = 0; i < itemsPerTask; ++i) {
        const auto item = pop();
        if (!item) break;
        handle(*item);
    }
    {
        const std::lock_guard lock(mutex_);
        scheduled_ = false;
    }
    schedule();
}

std::size_t Mailbox::poll(std::chrono::milliseconds timeout) {
    if (place_ != Place::poll) {
        throw Error("poll: this agent was not made with Options::poll");
    }
    std::size_t waiting = 0;
    {
        std::unique_lock lock(mutex_);
        arrived_.wait_for(lock, std::min(timeout, longest),
                          [&] { return !items_.empty() || dropped_ != 0; });
        waiting = items_.size() + (dropped_ != 0 ? 1 : 0);
    }
    // No more than were there: what comes meanwhile is for the next call.
    std::size_t handled = 0;
    while (handled < waiting) {
        const auto item = pop();
        if (!item) break;
        handle(*item);
        ++handled;
    }
    return handled;
}

void Mailbox::close() {
    gone = true;
    awaitStill(*this);
    // Destroyed after the lock is released: what they hold may come back to us as it goes.
    std::deque<Item> items;
    std::shared_ptr<const Executor> executor;
    Slot<void()> onConnect;
    Slot<void(const std::string&)> onDisconnect;
    Slot<void(const Gap&)> onGap;
    Slot<void(const Presence&)> ofTasks;
    Slot<void(const Presence&)> ofUser;
    Slot<void(const std::string&, const std::string&)> onNodeLost;
    Slot<void(const std::string&)> onError;
    const std::lock_guard lock(mutex_);
    items_.swap(items);
    bytes_ = 0;
    overtakable_ = 0;
    dropped_ = 0;
    executor_.swap(executor);
    onConnect_.swap(onConnect);
    onDisconnect_.swap(onDisconnect);
    onGap_.swap(onGap);
    tasks_.handler.swap(ofTasks);
    user_.handler.swap(ofUser);
    onNodeLost_.swap(onNodeLost);
    onError_.swap(onError);
}

}  // namespace netcluster
