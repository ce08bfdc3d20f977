#include "validate/restore_blame.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "restore/lacks_resources.h"
#include "storage/loss.h"

namespace tidemark::validate {
namespace {

using restore::TrialStep;

/// A server that gives up, or fails, says so; one that somebody has killed (an administrator, the kernel that lacks
/// memory) says nothing.
bool hasGivenUp(const std::string& last_words) {
    // At the begin and the end of what it writes when it crashes, and when it cannot start.
    constexpr auto kWords = std::to_array<std::string_view>({"got signal", "Core pattern:", "Aborting"});
    return std::ranges::any_of(kWords, [&](auto one) { return last_words.find(one) != std::string::npos; });
}

/// Without the statement that a refused transaction consists of: its words are a client's.
std::string ownWords(const Error& error) {
    const std::string text = error.what();
    return text.substr(0, text.find("; its statement: "));
}

}  // namespace

Blame blameFor(const Error& error, std::optional<TrialStep> step, const std::string& last_words) {
    if (error.code() == ErrorCode::NoSpace || restore::lacksResources(ownWords(error)) ||
        restore::lacksResources(last_words))
        return Blame::Node;
    const bool server_ended = error.code() == ErrorCode::Unavailable && hasGivenUp(last_words);
    if (!step) return server_ended ? Blame::Set : Blame::Node;
    switch (*step) {
        case TrialStep::Files:
            return storage::isLoss(error) ? Blame::Set : Blame::Node;
        case TrialStep::Prepare:
            // NotFound is a program that is not installed.
            return error.code() == ErrorCode::Corrupt ? Blame::Set : Blame::Node;
        case TrialStep::Log:
            if (storage::isLoss(error) || error.code() == ErrorCode::InvalidRequest) return Blame::Log;
            return server_ended || error.code() == ErrorCode::Internal ? Blame::Log : Blame::Node;
        case TrialStep::Start:
        case TrialStep::Restart:
            break;
    }
    return server_ended ? Blame::Set : Blame::Node;
}

}  // namespace tidemark::validate
