// Redis PUBLISH and SUBSCRIBE over its Unix socket, with hiredis. A subscribed connection cannot
// publish, so a link that does both has two. Publishing is pipelined: at most 1024 answers are
// waited for.
#include <hiredis/hiredis.h>

#include <chrono>
#include <thread>

#include "epoll_bus.hpp"

namespace netcluster::bench {
namespace {

struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

std::string_view textOf(const redisReply& reply) {
    return {reply.str, reply.len};
}

class RedisLink final : public ReadableLink {
  public:
    RedisLink(EpollBus& bus, std::string path, Handler handler)
        : bus_(bus), path_(std::move(path)), handler_(std::move(handler)) {}

    void subscribe(const std::string& pattern) override {
        if (!subscriber_) subscriber_ = open();
        const bool plain = pattern.find('*') == pattern.npos;
        redisAppendCommand(subscriber_.get(), plain ? "SUBSCRIBE %s" : "PSUBSCRIBE %s",
                           pattern.c_str());
        ++unconfirmed_;
    }
    void announce(const std::string& topic) override {
        publisher_ = open();
        head_ =
            "*3\r\n$7\r\nPUBLISH\r\n$" + std::to_string(topic.size()) + "\r\n" + topic + "\r\n$";
    }
    void settle() override {
        if (!unconfirmed_) return;
        for (; unconfirmed_; --unconfirmed_) answer(*subscriber_);
        bus_.serve(subscriber_->fd, *this);
    }
    void publish(std::string_view payload) override {
        command_.assign(head_).append(std::to_string(payload.size())).append("\r\n");
        command_.append(payload).append("\r\n");
        redisAppendFormattedCommand(publisher_.get(), command_.data(), command_.size());
        gathered_ += command_.size();
        if (gathered_ >= writeSize) flush();
        if (++unanswered_ >= 1024) {
            flush();
            collect(512);
        }
    }
    void flush() override {
        if (!publisher_) return;
        for (int done = 0; !done;) {
            if (redisBufferWrite(publisher_.get(), &done) != REDIS_OK) fail("redis write");
        }
        gathered_ = 0;
    }
    void drain() override {
        flush();
        collect(0);
    }
    void readable() override {
        if (redisBufferRead(subscriber_.get()) != REDIS_OK) {
            throw std::runtime_error("redis: the connection has ended");
        }
        for (;;) {
            void* reply = nullptr;
            redisGetReplyFromReader(subscriber_.get(), &reply);
            if (!reply) return;
            deliver(*Reply(static_cast<redisReply*>(reply)));
        }
    }

  private:
    static constexpr std::size_t writeSize = std::size_t{64} << 10;

    Context open() const {
        // The queue of the listening socket is full for a moment when a thousand connect.
        for (int attempt = 0; attempt < 1000; ++attempt) {
            Context context(redisConnectUnix(path_.c_str()));
            if (context && !context->err) return context;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        throw std::runtime_error("redis: cannot connect");
    }
    static void answer(redisContext& context) {
        void* reply = nullptr;
        if (redisGetReply(&context, &reply) != REDIS_OK) throw std::runtime_error(context.errstr);
        freeReplyObject(reply);
    }
    void collect(std::size_t leave) {
        for (; unanswered_ > leave; --unanswered_) answer(*publisher_);
    }
    void deliver(const redisReply& reply) {
        if (reply.type != REDIS_REPLY_ARRAY || reply.elements < 3) return;
        const std::string_view kind = textOf(*reply.element[0]);
        if (kind == "message" || kind == "pmessage") {
            handler_(textOf(*reply.element[reply.elements - 1]));
        }
    }

    EpollBus& bus_;
    const std::string path_;
    Handler handler_;
    Context subscriber_;
    Context publisher_;
    std::size_t unconfirmed_ = 0;  // subscriptions
    std::size_t unanswered_ = 0;   // events published
    std::size_t gathered_ = 0;
    std::string head_;
    std::string command_;
};

class RedisBus final : public EpollBus {
  public:
    explicit RedisBus(std::string path) : path_(std::move(path)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<RedisLink>(*this, path_, std::move(handler));
    }

  private:
    const std::string path_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<RedisBus>(address);
}

}  // namespace netcluster::bench
