#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace tidemark::cli {

/// One running job as it stands now.
struct JobProgress {
    std::string id;     ///< stable while the job runs, e.g. "backup 1002/3"
    std::string label;  ///< what is shown in front, e.g. "backup acme"
    std::string phase;  ///< STATUS of the view
    double done = 0;    ///< bytes
    double total = 0;   ///< bytes; 0: not known yet
    double left = 0;    ///< seconds that it still takes, as the daemon estimates; 0: not known
};

/// Draws one bar per job with rate and remaining time, in place on a terminal, as plain lines otherwise (then only
/// when a phase changes or a tenth more is done). Not thread-safe.
class ProgressBars {
public:
    explicit ProgressBars(bool terminal) : terminal_(terminal) {}

    void draw(const std::vector<JobProgress>& jobs);
    /// Takes the bars off the screen, so that other text can follow.
    void clear();

private:
    struct Seen {
        std::chrono::steady_clock::time_point since;
        double first_done = 0;
        std::string last_phase;
        int last_tenth = -1;
    };
    std::string line(const JobProgress& job, const Seen& seen, std::size_t columns) const;

    bool terminal_;
    std::size_t drawn_ = 0;
    std::map<std::string, Seen> seen_;
};

}  // namespace tidemark::cli
