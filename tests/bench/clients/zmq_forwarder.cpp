// zmq_forwarder DIR: ZeroMQ's own proxy between DIR/in, for publishers, and DIR/out, for
// subscribers. With XPUB_NODROP a full subscriber holds the publishers back.
#include <zmq.h>

#include <cstdio>
#include <string>

int main(int count, char** words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: %s DIR\n", words[0]);
        return 2;
    }
    const std::string directory = words[1];
    void* context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 8192);
    void* in = zmq_socket(context, ZMQ_XSUB);
    void* out = zmq_socket(context, ZMQ_XPUB);
    // Subscriptions travel upstream under the same high-water mark: a publisher that connects after
    // a thousand of them would never learn of the rest.
    const int on = 1, unlimited = 0;
    zmq_setsockopt(in, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(out, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(out, ZMQ_XPUB_NODROP, &on, sizeof on);
    if (zmq_bind(in, ("ipc://" + directory + "/in").c_str()) != 0 ||
        zmq_bind(out, ("ipc://" + directory + "/out").c_str()) != 0) {
        std::perror("zmq_bind");
        return 1;
    }
    return zmq_proxy(in, out, nullptr);
}
