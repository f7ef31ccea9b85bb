#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <deque>
#include <system_error>
#include <utility>

#include "child_posix.hpp"

namespace netcluster::worker {

class ExecRunner::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(boost::asio::io_context& io, const ExecLimits& limits)
        : limits_(limits), io_(io), ended_(io, SIGCHLD) {
        ::signal(SIGPIPE, SIG_IGN);
    }

    void listen() {
        ended_.async_wait([self = shared_from_this()](boost::system::error_code error, int) {
            if (error) return;
            self->reap();
            self->listen();
        });
    }

    bool run(Command command, Done done) {
        if (stopped_ || (children_.size() >= limits_.atOnce && waiting_.size() >= limits_.waiting))
            return false;
        waiting_.emplace_back(std::move(command), std::move(done));
        startNext();
        return true;
    }

    void stop() {
        stopped_ = true;
        for (auto& [command, done] : std::exchange(waiting_, {})) {
            tellLater(std::move(done), {.how = Finished::How::stopped});
        }
        for (const auto& child : children_) child->end(Finished::How::stopped);
    }

    void abandon() {
        boost::system::error_code ignored;
        ended_.cancel(ignored);
        stopped_ = true;
        waiting_.clear();
        for (const auto& child : std::exchange(children_, {})) {
            child->onFinished = {};
            child->kill();
            int status = 0;
            if (!child->reap()) ::waitpid(child->pid(), &status, 0);
        }
    }

    std::size_t underWay() const { return children_.size() + waiting_.size(); }

  private:
    void reap() {
        const auto children = children_;
        for (const auto& child : children) child->reap();
    }

    void startNext() {
        while (!waiting_.empty() && children_.size() < limits_.atOnce) {
            auto [command, done] = std::move(waiting_.front());
            waiting_.pop_front();
            start(command, std::move(done));
        }
    }

    void start(const Command& command, Done done) {
        auto child = std::make_shared<Child>(io_, limits_, done);
        try {
            child->start(command);
        } catch (const std::exception& error) {  // Boost's own is no std::system_error everywhere
            return tellLater(std::move(done),
                             {.how = Finished::How::notStarted, .error = error.what()});
        }
        children_.push_back(child);
        child->onFinished = [self = weak_from_this(), raw = child.get()] {
            if (const auto runner = self.lock()) runner->finished(raw);
        };
    }

    void tellLater(Done done, Finished finished) {
        boost::asio::post(io_, [done = std::move(done), finished = std::move(finished)]() mutable {
            done(std::move(finished));
        });
    }

    void finished(const Child* which) {
        const auto place = std::find_if(children_.begin(), children_.end(),
                                        [&](const auto& child) { return child.get() == which; });
        if (place == children_.end()) return;
        const std::shared_ptr<Child> child = *place;
        children_.erase(place);
        startNext();
        child->tell();
    }

    const ExecLimits limits_;
    boost::asio::io_context& io_;
    boost::asio::signal_set ended_;
    std::deque<std::pair<Command, Done>> waiting_;
    std::vector<std::shared_ptr<Child>> children_;
    bool stopped_ = false;
};

ExecRunner::ExecRunner(boost::asio::io_context& io, const ExecLimits& limits)
    : impl_(std::make_shared<Impl>(io, limits)) {
    impl_->listen();
}

ExecRunner::~ExecRunner() {
    impl_->abandon();
}

bool ExecRunner::run(Command command, Done done) {
    return impl_->run(std::move(command), std::move(done));
}

void ExecRunner::stop() {
    impl_->stop();
}

std::size_t ExecRunner::underWay() const {
    return impl_->underWay();
}

}  // namespace netcluster::worker
