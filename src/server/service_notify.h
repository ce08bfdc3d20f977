#pragma once

#include <string>

namespace tidemark::server {

/// Tells the service manager about us (sd_notify's protocol: a datagram to the socket that $NOTIFY_SOCKET names), e.g.
/// "READY=1\nSTATUS=…" or "STOPPING=1". Does nothing if nobody listens: being told is the service manager's wish.
void notifyServiceManager(const std::string& state);

}  // namespace tidemark::server
