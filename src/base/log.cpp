#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace tidemark {
namespace {

spdlog::sink_ptr stderrSink() {
    static const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    return sink;
}

}  // namespace

void initLog(const std::string& level) {
    stderrSink()->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l [%n] %v");
    spdlog::set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(makeLogger("tidemarkd"));
}

Logger makeLogger(const std::string& name) {
    auto logger = std::make_shared<spdlog::logger>(name, stderrSink());
    logger->set_level(spdlog::get_level());
    logger->flush_on(spdlog::level::info);
    return logger;
}

}  // namespace tidemark
