#include "control_client.hpp"

#include <condition_variable>
#include <mutex>
#include <netcluster/agent.hpp>
#include <netcluster/control.hpp>
#include <optional>
#include <random>
#include <sstream>
#include <utility>

namespace netcluster::ctl {
namespace {

/// Unlikely to be anybody else's: several ncctl may ask at once.
std::string newId() {
    std::random_device random;
    std::ostringstream id;
    id << std::hex << "ncctl-" << random() << random() << random();
    return id.str();
}

Answer failure(Answer::Outcome outcome, const std::string& text) {
    return {outcome, Json{{"error", text}}};
}

Options agentOptions(const std::string& dir) {
    Options options;
    options.dir = dir;
    options.name = "ncctl";
    return options;
}

}  // namespace

/// One agent on `control`, and the question that is open.
class ControlClient::Connection {
  public:
    explicit Connection(const std::string& dir)
        : agent_(std::string(control::channel), agentOptions(dir)) {
        agent_.on("nc-control-.*", [this](const Event& event) { take(event); });
        agent_.onConnect([this] { onConnect(); });
        agent_.onDisconnect([this](const std::string& reason) { onDisconnect(reason); });
        agent_.onError([this](const std::string& what) { addNews(what); });
    }
    // The agent goes first (it is the last member), and with it whoever calls the handlers.

    void connect(std::chrono::milliseconds timeout) { agent_.connect(timeout); }
    void disconnect() { agent_.disconnect(); }
    bool connected() const { return agent_.connected(); }

    Answer ask(std::string_view command, const Json& data, std::chrono::milliseconds timeout) {
        const auto id = newId();
        {
            const std::lock_guard lock(mutex_);
            open_ = Question{id, control::responseEvent(command), {}};
        }
        if (auto unsent = send(command, data, id)) {
            const std::lock_guard lock(mutex_);
            open_.reset();
            return std::move(*unsent);
        }
        return wait(timeout);
    }

    std::string takeNews() {
        const std::lock_guard lock(mutex_);
        return std::exchange(news_, {});
    }

  private:
    struct Question {
        std::string id;
        std::string response;  ///< the event that answers it
        std::optional<Answer> answer;
    };

    /// Why the question cannot be sent, or nothing.
    std::optional<Answer> send(std::string_view command, const Json& data, const std::string& id) {
        EmitOptions options;
        options.id = id;
        try {
            const auto emitted = agent_.emit(control::requestEvent(command), data, options);
            if (emitted == Emitted::accepted) return {};
            return failure(Answer::Outcome::unreachable, "the daemon does not read");
        } catch (const Error& error) {  // data that cannot be sent, such as text that is not UTF-8
            return failure(Answer::Outcome::refused, error.what());
        }
    }

    Answer wait(std::chrono::milliseconds timeout) {
        std::unique_lock lock(mutex_);
        const bool inTime =
            changed_.wait_for(lock, timeout, [this] { return open_->answer.has_value(); });
        auto question = std::exchange(open_, std::nullopt);
        if (inTime) return std::move(*question->answer);
        return failure(Answer::Outcome::deadline,
                       "no answer after " + std::to_string(timeout.count()) + " ms");
    }

    void take(const Event& event) {
        const std::lock_guard lock(mutex_);
        if (!open_ || open_->answer || event.fromThisProcess() || event.id() != open_->id) return;
        if (event.name() != open_->response && event.name() != "nc-control-error") return;
        open_->answer = read(event);
        changed_.notify_one();
    }

    static Answer read(const Event& event) {
        try {
            const Json& data = event.data();
            const bool refused = data.is_object() && data.contains("error");
            return {refused ? Answer::Outcome::refused : Answer::Outcome::answered, data};
        } catch (const Error& error) {
            return failure(Answer::Outcome::refused, error.what());
        }
    }

    void onConnect() {
        const std::lock_guard lock(mutex_);
        if (std::exchange(lost_, false)) addLine("connected to the daemon again");
    }

    void onDisconnect(const std::string& reason) {
        const std::lock_guard lock(mutex_);
        if (open_ && !open_->answer) {
            open_->answer = failure(Answer::Outcome::unreachable,
                                    "lost the daemon before it answered: " + reason);
            changed_.notify_one();
        } else if (!std::exchange(lost_, true)) {
            addLine("lost the daemon: " + reason);
        }
    }

    void addNews(const std::string& what) {
        const std::lock_guard lock(mutex_);
        addLine(what);
    }
    void addLine(const std::string& line) { news_ += (news_.empty() ? "" : "; ") + line; }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Question> open_;
    std::string news_;
    bool lost_ = false;
    Agent agent_;
};

ControlClient::ControlClient(std::string dir) : dir_(std::move(dir)) {}
ControlClient::~ControlClient() = default;

Answer ControlClient::ask(std::string_view command, const Json& data, const Patience& patience) {
    try {
        if (!connection_) connection_ = std::make_unique<Connection>(dir_);
        // Asking while the agent is still on its way back would only queue the question.
        if (!connection_->connected()) connection_->connect(patience.connect);
    } catch (const Error& error) {
        return failure(Answer::Outcome::unreachable, unreachableText(error.what()));
    }
    auto answer = connection_->ask(command, data, patience.answer);
    if (answer.outcome == Answer::Outcome::unreachable) {
        connection_->disconnect();  // so that the queue with the question goes too
        connection_.reset();
    }
    return answer;
}

bool ControlClient::connected() const {
    return connection_ && connection_->connected();
}

std::string ControlClient::takeNews() {
    return connection_ ? connection_->takeNews() : "";
}

std::string unreachableText(const std::string& reason) {
    return "cannot reach the daemon: " + reason +
           ". Is ncserver running, does it have this channel, and may this user open its socket? "
           "(--dir or $NETCLUSTER_DIR names another run directory)";
}

}  // namespace netcluster::ctl
