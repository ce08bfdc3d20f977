#include "job/capacity.h"

namespace tidemark::job {

Share::Share(Capacity& capacity, const Options& options)
    : lane_(capacity.workers, {.weight = options.built_in_score, .most = options.most_workers}) {
    const auto follow = [&](catalog::TenantId tenant, const std::string& name, catalog::ParameterWatch::Take take) {
        followings_.push_back(capacity.parameters.follow(tenant, name, std::move(take)));
    };
    follow(options.tenant, options.score, [this, built_in = options.built_in_score](std::int64_t score) {
        lane_.setWeight(score == 0 ? built_in : static_cast<unsigned>(score));
    });
    const auto limit = [&](const std::string& name, storage::Bandwidth& bandwidth) {
        follow(catalog::kSysTenantId, name,
               [&bandwidth](std::int64_t bytes) { bandwidth.setLimit(static_cast<std::uint64_t>(bytes)); });
    };
    limit("backup_io_limit", capacity.tenant_reading);
    limit("backup_net_limit", capacity.destination_writing);
    limit("restore_net_limit", capacity.destination_reading);
}

Share::Options backupShare(catalog::TenantId tenant) {
    return {.tenant = tenant, .score = "ha_low_thread_score", .built_in_score = 2};
}

Share::Options restoreShare(catalog::TenantId tenant, unsigned concurrency) {
    return {.tenant = tenant, .score = "ha_high_thread_score", .built_in_score = 8, .most_workers = concurrency};
}

}  // namespace tidemark::job
