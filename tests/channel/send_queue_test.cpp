#include "send_queue.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <random>

#include "packet.hpp"

namespace netcluster::daemon {
namespace {

using config::SlowConsumer;
constexpr std::size_t cap = 4096;

// Frames of events whose payload is their number.
std::string numbered(std::uint64_t number, std::size_t padding = 0) {
    wire::EventView event;
    event.name = "e";
    event.channel = "A";
    const std::string payload = std::to_string(number) + std::string(padding, ' ');
    event.payload = payload;
    std::string bytes;
    wire::appendEvent(bytes, event);
    return bytes;
}

// A client that reads what the queue writes, and keeps account of what it was told.
class Reader {
  public:
    void take(std::string_view bytes) {
        buffer_ += bytes;
        wire::FrameView frame;
        while (wire::nextFrame(buffer_, 1 << 20, frame) == wire::Walk::frame) {
            if (frame.type == wire::FrameType::event) {
                events.push_back(std::stoull(std::string(wire::readEvent(frame)->payload)));
                ++position;
                CHECK(events.back() == position);
            } else if (frame.type == wire::FrameType::gap) {
                const auto gap = wire::readGap(frame);
                CHECK(gap->first > position);
                CHECK(gap->last >= gap->first);
                CHECK(gap->count == gap->last - gap->first + 1);
                CHECK(gap->first == position + 1);
                position = gap->last;
                lost += gap->count;
            } else {
                ++notices;
            }
            buffer_.erase(0, frame.whole.size());
        }
    }
    bool whole() const { return buffer_.empty(); }

    std::vector<std::uint64_t> events;
    std::uint64_t position = 0;  // the last sequence accounted for
    std::uint64_t lost = 0;
    int notices = 0;

  private:
    std::string buffer_;
};

// Writes at most `limit` bytes; returns how many.
std::size_t write(SendQueue& queue, Reader& reader, std::size_t limit) {
    std::vector<std::string_view> pieces;
    queue.gather(pieces, 1024);
    std::string bytes;
    for (const auto piece : pieces) bytes += piece;
    bytes.resize(std::min(bytes.size(), limit));
    reader.take(bytes);
    queue.wrote(bytes.size());
    return bytes.size();
}

void drain(SendQueue& queue, Reader& reader) {
    while (!queue.empty()) write(queue, reader, 1 << 20);
}

struct Fixture {
    QueueBudget budget{1 << 20};
    SendQueue queue{budget, cap, "A"};
    Reader reader;
    Fixture() { queue.becomeBinary(); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what is written in the turn is never copied") {
    const std::string both = numbered(1) + numbered(2);
    const std::string_view first = std::string_view(both).substr(0, both.size() / 2);
    CHECK(queue.push(first, 1, SlowConsumer::block) == SendQueue::Pushed::queued);
    CHECK(queue.push(std::string_view(both).substr(first.size()), 1, SlowConsumer::block) ==
          SendQueue::Pushed::queued);
    std::vector<std::string_view> pieces;
    queue.gather(pieces, 1024);
    REQUIRE(pieces.size() == 1);  // neighbours are one piece
    CHECK(pieces[0].data() == both.data());
    queue.wrote(both.size());
    CHECK(queue.empty());
    CHECK(budget.used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "of a run that is written in part, every event arrives once") {
    std::string run;
    for (std::uint64_t i = 1; i <= 20; ++i) run += numbered(i, i);
    for (std::size_t cut = 0; cut <= run.size(); ++cut) {
        SendQueue own(budget, cap, "A");
        own.becomeBinary();
        Reader client;
        REQUIRE(own.makeRoom(run.size(), 20));
        CHECK(own.push(run, 20, SlowConsumer::block) == SendQueue::Pushed::queued);
        CHECK(own.eventsMeant() == 20);
        write(own, client, cut);
        own.settle();
        std::string(run.size(), '?').swap(run);  // the turn is over: its bytes are gone
        drain(own, client);
        CHECK(client.events.size() == 20);
        CHECK(client.whole());
        CHECK(budget.used() == 0);
        run.clear();
        for (std::uint64_t i = 1; i <= 20; ++i) run += numbered(i, i);
    }
}

TEST_CASE_FIXTURE(Fixture, "room for a run is room for each of its events") {
    const std::string one = numbered(1, 100);
    const std::size_t each = one.size() + Backlog::itemCost;
    std::string run;
    for (std::size_t n = 0; n < cap / each + 1; ++n) run += one;
    CHECK_FALSE(queue.makeRoom(run.size(), cap / each + 1));  // also when it is empty
    CHECK(queue.makeRoom(run.size() - one.size(), cap / each));
    CHECK(queue.makeRoom(10 * cap, 1));
}

TEST_CASE_FIXTURE(Fixture, "an event begun is finished, whatever is dropped behind it") {
    const std::string first = numbered(1, 1000);
    CHECK(queue.push(first, 1, SlowConsumer::dropOldest) == SendQueue::Pushed::queued);
    CHECK(write(queue, reader, 100) == 100);
    queue.settle();
    std::deque<std::string> kept;
    for (std::uint64_t i = 2; i <= 20; ++i) {
        (void)queue.push(kept.emplace_back(numbered(i, 1000)), 1, SlowConsumer::dropOldest);
        queue.settle();
        CHECK(queue.cost() <= cap);
    }
    drain(queue, reader);
    CHECK(reader.whole());
    CHECK(reader.events.front() == 1);
    CHECK(reader.events.back() == 20);
    CHECK(reader.position == 20);
    CHECK(reader.lost == queue.eventsDropped());
}

TEST_CASE_FIXTURE(Fixture, "an empty queue takes an event larger than its cap") {
    const std::string large = numbered(1, 3 * cap);
    CHECK(queue.fits(large.size()));
    CHECK(queue.push(large, 1, SlowConsumer::disconnect) == SendQueue::Pushed::queued);
    CHECK_FALSE(queue.fits(1));
}

TEST_CASE_FIXTURE(Fixture,
                  "dropnewest tells of the gap before the next event, or when it is drained") {
    std::deque<std::string> kept;
    std::uint64_t number = 0;
    const auto push = [&] {
        const auto pushed =
            queue.push(kept.emplace_back(numbered(++number, 900)), 1, SlowConsumer::dropNewest);
        queue.settle();
        return pushed;
    };
    while (push() == SendQueue::Pushed::queued) {
    }
    CHECK(push() == SendQueue::Pushed::dropped);
    drain(queue, reader);
    CHECK(reader.position == number);
    CHECK(reader.lost == 2);
    CHECK(push() == SendQueue::Pushed::queued);
    drain(queue, reader);
    CHECK(reader.events.back() == number);
}

TEST_CASE_FIXTURE(Fixture, "disconnect says when it is too much") {
    std::deque<std::string> kept;
    SendQueue::Pushed pushed = SendQueue::Pushed::queued;
    for (std::uint64_t i = 1; i < 10 && pushed == SendQueue::Pushed::queued; ++i) {
        pushed = queue.push(kept.emplace_back(numbered(i, 900)), 1, SlowConsumer::disconnect);
        queue.settle();
    }
    CHECK(pushed == SendQueue::Pushed::overflow);
}

TEST_CASE_FIXTURE(Fixture,
                  "a client that asks and never reads is owed so many notices and no more") {
    std::string answer;
    wire::appendSync(answer, wire::FrameType::synced, 1);
    std::size_t taken = 0;
    while (queue.pushNotice(answer)) taken += answer.size();
    CHECK(taken <= SendQueue::maxNotices);
    CHECK(taken + answer.size() > SendQueue::maxNotices);
}

TEST_CASE("under a full budget stalled clients give way first, the largest most") {
    QueueBudget budget(10000);
    SendQueue small(budget, 8000, "A"), large(budget, 8000, "A"), good(budget, 8000, "A");
    std::deque<std::string> kept;
    const auto fill = [&](SendQueue& queue, int events) {
        queue.becomeBinary();
        for (int i = 1; i <= events; ++i) {
            (void)queue.push(kept.emplace_back(numbered(static_cast<std::uint64_t>(i), 900)), 1,
                             SlowConsumer::block);
            queue.settle();
        }
    };
    fill(small, 2);
    fill(large, 7);
    small.setIdle(true);
    large.setIdle(true);
    fill(good, 3);
    CHECK(good.eventsDropped() == 0);
    CHECK(small.eventsDropped() == 0);
    CHECK(large.eventsDropped() > 0);
    CHECK(budget.used() <= 10000);
}

// Somebody who is held up, and told when to go on.
class Held final : public Source {
  public:
    const wire::Uuid& uuid() const override { return uuid_; }
    const std::string& channel() const override { return channel_; }
    void resume() override { ++resumed; }
    void reply(std::string_view, std::string_view, std::string_view) override {}
    void unwanted(std::string_view, std::uint8_t, std::uint64_t) override {}
    void refused(const wire::EventView&, std::string_view) override {}
    void misbehaved(std::string_view) override {}
    std::string label() const override { return {}; }

    int resumed = 0;

  private:
    wire::Uuid uuid_{};
    std::string channel_;
};

TEST_CASE("under block the common budget is waited for, as long as anybody drains") {
    QueueBudget budget(4000);
    const std::string event = numbered(1, 2800);
    SendQueue busy(budget, cap, "A"), waiting(budget, cap, "A");
    busy.becomeBinary();
    waiting.becomeBinary();
    std::size_t claimed = 0;
    CHECK(busy.makeSafeRoom(event.size(), 1, claimed));
    CHECK(claimed > event.size());
    (void)busy.push(event, 1, SlowConsumer::block);
    busy.settle();
    claimed = 0;
    CHECK_FALSE(waiting.makeSafeRoom(event.size(), 1, claimed));
    CHECK(claimed == 0);
    claimed = 2000;  // by others
    CHECK_FALSE(waiting.makeSafeRoom(1000, 1, claimed));
    claimed = 0;

    SUBCASE("until it has drained") {
        const auto held = std::make_shared<Held>();
        budget.awaitRoom(*held);
        Reader reader;
        write(busy, reader, 100);
        CHECK(held->resumed == 0);
        drain(busy, reader);
        CHECK(held->resumed == 1);
        CHECK(waiting.makeSafeRoom(event.size(), 1, claimed));
    }
    SUBCASE("until it stalls, and gives way") {
        const auto held = std::make_shared<Held>();
        budget.awaitRoom(*held);
        busy.setIdle(true);
        CHECK(held->resumed == 1);
        CHECK(waiting.makeSafeRoom(event.size(), 1, claimed));
        CHECK(busy.eventsDropped() == 1);
    }
    SUBCASE("until it is gone") {
        const auto held = std::make_shared<Held>();
        budget.awaitRoom(*held);
        busy.abandon();
        CHECK(held->resumed == 1);
    }
    SUBCASE("not for one that has stalled and can give nothing back") {
        Reader reader;
        write(busy, reader, 100);  // begun: must be finished
        busy.settle();
        busy.setIdle(true);
        CHECK(waiting.makeSafeRoom(event.size(), 1, claimed));
    }
}

TEST_CASE("caps hold whatever a client has in flight") {
    QueueBudget budget(2 * cap);
    SendQueue first(budget, cap, "A"), second(budget, cap, "A");
    const std::string large = numbered(1, 3 * cap);
    for (SendQueue* queue : {&first, &second}) {
        queue->becomeBinary();
        CHECK(queue->push(large, 1, SlowConsumer::dropOldest) == SendQueue::Pushed::queued);
    }
    Reader reader;
    write(first, reader, 100);  // begun: it must be finished, so it is kept
    first.settle();
    CHECK_FALSE(first.fits(1));
    second.settle();  // not begun, and the budget is used up: told as a gap
    CHECK(second.eventsDropped() == 1);
    CHECK(budget.used() <= large.size());
    const std::string small = numbered(2);
    CHECK(first.push(small, 1, SlowConsumer::dropOldest) == SendQueue::Pushed::dropped);
    drain(first, reader);
    CHECK(reader.events == std::vector<std::uint64_t>{1});
    CHECK(reader.position == 2);
    Reader other;
    drain(second, other);
    CHECK(other.lost == 1);
    CHECK(budget.used() == 0);
}

// Every event meant for the client is either delivered, in order, or told of as a gap in its place;
// the caps hold at the end of every turn. Checked by Reader for any mix of policies and writes.
TEST_CASE("no event is lost silently, whatever happens") {
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        QueueBudget budget(3 * cap);
        SendQueue queue(budget, cap, "A");
        queue.becomeBinary();
        Reader reader;
        std::uint64_t number = 0;
        int notices = 0;
        for (int turn = 0; turn < 60; ++turn) {
            std::string buffer;
            std::vector<std::size_t> sizes;
            for (unsigned count = random() % 12; count != 0; --count) {
                const std::string event = numbered(++number, random() % 700);
                buffer += event;
                sizes.push_back(event.size());
            }
            const auto policy = random() % 2 ? SlowConsumer::dropOldest : SlowConsumer::dropNewest;
            std::size_t at = 0;
            for (const std::size_t size : sizes) {
                (void)queue.push(std::string_view(buffer).substr(at, size), 1, policy);
                at += size;
                if (random() % 16 == 0) {
                    std::string answer;
                    wire::appendSync(answer, wire::FrameType::synced, 1);
                    CHECK(queue.pushNotice(answer));
                    ++notices;
                }
            }
            if (random() % 3 != 0) write(queue, reader, random() % 3000);
            queue.settle();
            CHECK(queue.cost() <= cap + 1024);  // notices come on top
            CHECK(budget.used() == queue.cost());
        }
        drain(queue, reader);
        CHECK(reader.whole());
        CHECK(reader.position == number);
        CHECK(reader.notices == notices);
        CHECK(reader.events.size() + reader.lost == number);
        CHECK(reader.lost == queue.eventsDropped());
        CHECK(budget.used() == 0);
    }
}

TEST_CASE("a JSON client is told of its gap by a packet") {
    QueueBudget budget(1 << 20);
    SendQueue queue(budget, 64, "A");
    const std::string packets[] = {std::string(50, 'a') + '\0', std::string(50, 'b') + '\0'};
    CHECK(queue.push(packets[0], 1, SlowConsumer::dropOldest) == SendQueue::Pushed::queued);
    queue.settle();
    CHECK(queue.push(packets[1], 1, SlowConsumer::dropOldest) == SendQueue::Pushed::dropped);
    std::vector<std::string_view> pieces;
    queue.gather(pieces, 1024);
    std::string expected;
    wire::appendGapPacket(expected, {1, 1, 1}, "A");
    REQUIRE(pieces.size() == 2);
    CHECK(pieces[0] == expected);
    CHECK(pieces[1] == packets[1]);
}

}  // namespace netcluster::daemon
