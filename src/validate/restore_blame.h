#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "restore/trial_restore.h"

namespace tidemark::validate {

/// Whose fault it is that a set is not restored.
enum class Blame {
    Set,   ///< what is stored of it
    Log,   ///< what is stored of the log behind it, or what that says
    Node,  ///< this machine's, or nobody knows: it says nothing of what is stored
};

/// `step`: where the trial was; nullopt: behind it, its tables were looked at. `last_words`: the end of the server's
/// error log. A server that has ended with words of its own is the set's fault (or the log's) only if one without the
/// set's files runs here: that is the caller's to try, where the error is Unavailable.
Blame blameFor(const Error& error, std::optional<restore::TrialStep> step, const std::string& last_words);

}  // namespace tidemark::validate
