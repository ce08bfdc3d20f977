#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace tidemark {

using Logger = std::shared_ptr<spdlog::logger>;

/// Sends the log to stderr, one line per entry: time with microseconds and zone, level, name, text.
/// `level` is error, warn, info or debug. Call once, from main, before other threads start.
void initLog(const std::string& level);

/// A logger whose name says on whose behalf it speaks, e.g. "tenant=acme job=42". Any thread may use it.
/// Lower-case sentences, no full stop, values with units; never a secret, never a row of a tenant's data.
Logger makeLogger(const std::string& name);

}  // namespace tidemark
