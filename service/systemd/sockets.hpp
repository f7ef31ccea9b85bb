// Socket activation: the sockets that systemd opened for us, as sd_listen_fds(3) documents.
// For main, before there are other threads that look at descriptors.
#pragma once

namespace netcluster::service {

/// Hands what $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES describe to local::adopt; nothing when
/// they are not meant for this process. Throws Error naming what is not a channel's socket.
void takeSockets();

/// Logs those that no channel listens at: their clients would wait for ever.
void warnOfUnusedSockets();

}  // namespace netcluster::service
