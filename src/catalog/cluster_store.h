#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

struct Cluster {
    std::string name;
    std::int64_t id = 1;
};

struct Zone {
    std::string name;
    std::string region = "default_region";
    std::string idc;
    Nanos create_time = 0;
    Nanos modify_time = 0;
};

/// A node: its address, what it has, what of it is in use. Byte counts; nullopt is "not measured yet".
struct Server {
    std::string ip;
    std::int64_t rpc_port = 2882;  ///< SVR_PORT, which with the ip names a server in all views
    std::int64_t sql_port = 2881;
    std::int64_t id = 1;
    std::string zone;
    std::string build_version;
    Nanos start_service_time = 0;
    std::int64_t cpu_capacity = 0;  ///< processors
    std::uint64_t memory_capacity = 0;
    std::uint64_t disk_capacity = 0;  ///< of the file system that holds data and log
    std::optional<std::uint64_t> log_disk_in_use;
    std::optional<std::uint64_t> data_disk_in_use;
};

/// What the first start of a cluster writes, in one transaction.
struct ClusterSeed {
    Cluster cluster;
    Zone zone;
    Server server;
    std::uint32_t sys_server_id = 0;  ///< sys's own replication server id
    double sys_cpu = 1;
    std::uint64_t sys_memory = 0;    ///< bytes
    std::uint64_t sys_log_disk = 0;  ///< bytes
};

/// Cluster, zones and nodes. Thread-safe.
class ClusterStore {
public:
    explicit ClusterStore(Catalog& catalog) : catalog_(catalog) {}

    /// Writes the cluster with its first zone and server, the sys tenant (id 1, status NORMAL) and its unit, unit
    /// config `sys_unit_config` and pool `sys_pool` (all id 1). Does nothing if there is a cluster already.
    void bootstrap(const ClusterSeed& seed);

    /// Throws NotFound before bootstrap().
    Cluster cluster();
    std::vector<Zone> zones();
    std::vector<Server> servers();

    /// The node has started: address, version, capacities and start time are taken over; found by its id.
    void serverStarted(const Server& server);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
