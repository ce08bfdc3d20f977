#include "server/node.h"

#include <unistd.h>

#include <thread>

#include "base/random.h"
#include "base/sandbox.h"
#include "base/version.h"
#include "net/listener.h"
#include "server/end_within.h"
#include "server/template_views.h"
#include "tenant/carried_settings.h"
#include "tenant/throwaway_server.h"
#include "view/sys_views.h"

namespace tidemark::server {

/// How long a restore waits for the archivers here, whose destination may hang.
static constexpr std::chrono::seconds kDurableLimit{5};

/// How long a backup does. It can do without, and be cancelled while it waits.
static constexpr std::chrono::seconds kSoonDurable{2};

/// For each part of the daemon's end. Sessions take up to 7 s to end when nothing hangs.
static constexpr std::chrono::seconds kEndLimit{8};

/// In bytes.
static std::uint64_t memoryOfMachine() {
    return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Node::Node(const Config& config, std::function<void()> end)
    : log_(makeLogger("node")),
      directory_(config.data_dir),
      listening_(net::listenOn(config.bind, config.port)),
      port_(net::portOf(listening_)),
      node_key_(directory_.nodeKey()),
      opened_(node_key_),
      template_(directory_.templates()),
      running_(tenant::RunningServers::look()),
      sys_(startSys(directory_, template_, config, running_)),
      catalog_({.endpoint = sys_.server->endpoint()}, clock_),
      stores_(catalog_),
      events_(stores_.events),
      supervisor_([this](const tenant::SupervisorEvent& event) { events_.record(event); }),
      replicas_(
          {.tenants = directory_.tenants(),
           .zone = config.zone,
           .started = [this](catalog::TenantId id, const mysql::Endpoint& endpoint) { mirror_->attach(id, endpoint); },
           // Its views are there when the statement returns.
           .await_views = [this](catalog::TenantId id) { mirror_->waitFresh(id, std::chrono::seconds(2)); },
           .stopping =
               [this](catalog::TenantId id) {
                   if (mirror_) mirror_->detach(id);
               },
           .ground = opened_.ground()},
          stores_, template_, supervisor_, sys_.server),
      resources_(stores_, replicas_, turns_, memoryOfMachine()),
      tenants_(catalog_, stores_, replicas_, turns_),
      standbys_(catalog_, stores_, replicas_, turns_),
      capacity_(stores_.parameters, config.workers),
      work_(stores_.work),
      archive_({.endpoint = [this](catalog::TenantId id) { return replicas().endpoint(id); },
                .settings = [this](catalog::TenantId id) { return tenant::carriedSettings(stores_.tenants.get(id)); },
                .own_directory = directory_.root(),
                .piece_interval = config.piece_interval.count() * kSecond},
               stores_, clock_),
      backup_({.stores = stores_,
               .tenants = replicas(),
               .clock = clock_,
               .capacity = capacity_,
               .node_key = node_key_,
               .own_directory = directory_.root(),
               .await_archive =
                   [this](catalog::TenantId tenant, std::int64_t round, const mysql::GtidPosition& position) {
                       archive_.whenArchived(tenant, round, position,
                                             [this, tenant] { work_.wake(catalog::kBackupWork, tenant); });
                   },
               .write_archive = [this](const std::string& uri) { archive_.makeDurable({uri}, kSoonDurable); }},
              work_),
      restore_({.stores = stores_,
                .tenants = standbys_,
                .clock = clock_,
                .capacity = capacity_,
                .node_key = node_key_,
                .opened = opened_,
                .before_reading =
                    [this](const std::vector<std::string>& uris) { archive_.makeDurable(uris, kDurableLimit); }},
               work_),
      clean_({.stores = stores_, .clock = clock_, .node_key = node_key_}, work_),
      validate_({.stores = stores_,
                 .tenants = standbys_,
                 .capacity = capacity_,
                 .own_directory = directory_.root(),
                 .servers = directory_.throwaways(),
                 .write_archive = [this](const std::string& uri) { archive_.makeDurable({uri}, kDurableLimit); },
                 .node_key = node_key_},
                work_),
      engine_({.catalog = catalog_,
               .stores = stores_,
               .resources = resources_,
               .tenants = tenants_,
               .standbys = standbys_,
               .archive = archive_,
               .backup = backup_,
               .restore = restore_,
               .clean = clean_,
               .validate = validate_,
               .shutdown =
                   [this, end = std::move(end)] {
                       databases_shall_end_ = true;
                       end();
                   }}),
      front_directory_(replicas()),
      front_(front_directory_, engine_) {
    if (!sandboxAvailable()) {
        log_->warn("this kernel has no Landlock: the databases are not confined to their own files");
    }
    supervisor_.watch(sys_.server);
    tenant::removeThrowaways(directory_.throwaways(), running_);
    catalog_.migrate();
    view::installSysViews(catalog_);
    template_.setContent(templateViews(catalog_));
    bootstrap(config);
    mirror_ = std::make_unique<view::TenantMirror>(catalog_);
    replicas_.start(running_);
    // What the last daemon left running, before anyone can start something new. The archives first: jobs wait for them.
    archive_.resumeAll();
    work_.start(stores_.cluster.servers().at(0).id);
    front_.start(std::move(listening_));
}

Node::~Node() {
    endWork();
}

bool Node::endWork() {
    if (work_ended_) return *work_ended_;
    bool ended = endWithin(log_, {{"sessions", [this] { front_.stop(); }}}, kEndLimit);
    ended &= endWithin(log_, {{"jobs", [this] { work_.shutdown(); }}, {"archives", [this] { archive_.suspendAll(); }}},
                       kEndLimit);
    // Whoever still waits for sys gives up, so that the threads can be joined.
    catalog_.close();
    ended &= endWithin(log_, {{"views", [this] { mirror_.reset(); }}}, kEndLimit);
    work_ended_ = ended;
    return ended;
}

void Node::stopDatabases() {
    endWork();
    replicas_.stopAll();
}

catalog::Server Node::describeServer(const Config& config) const {
    const bool any = config.bind == "0.0.0.0" || config.bind == "::";
    return {.ip = any ? "127.0.0.1" : config.bind,
            .rpc_port = port_ + 1,  // nothing listens there yet; OceanBase names a server by it
            .sql_port = port_,
            .zone = config.zone,
            .build_version = std::string("4.3.3.0_tidemark-") + kVersion,
            .start_service_time = clock_.now(),
            .cpu_capacity = std::thread::hardware_concurrency(),
            .memory_capacity = memoryOfMachine(),
            .disk_capacity = std::filesystem::space(directory_.root()).capacity};
}

/// The first start writes the cluster's first rows; later ones say that the node is back.
void Node::bootstrap(const Config& config) {
    const catalog::Server server = describeServer(config);
    // The id tells clusters of the same name apart, so that a new one never takes an old one's destinations for its
    // own.
    stores_.cluster.bootstrap({.cluster = {.name = config.cluster_name, .id = randomU32()},
                               .zone = {.name = config.zone},
                               .server = server,
                               .sys_server_id = sys_.server_id,
                               .sys_cpu = config.sys_cpu,
                               .sys_memory = config.sys_memory,
                               .sys_log_disk = 2ULL << 30});
    const auto cluster = stores_.cluster.cluster();
    if (cluster.name != config.cluster_name) {
        log_->warn("this is cluster {}: the name {} given now is for new clusters only", cluster.name,
                   config.cluster_name);
    }
    const auto servers = stores_.cluster.servers();
    if (servers.at(0).zone != config.zone) {
        throw Error(ErrorCode::InvalidRequest, "this node lies in zone " + servers[0].zone + ", not in " + config.zone,
                    "start it with --zone " + servers[0].zone);
    }
    stores_.cluster.serverStarted(server);
    auto unit = stores_.resources.findUnit(tenant::kSysUnit);
    if (unit &&
        (unit->memory_size != static_cast<std::int64_t>(config.sys_memory) || unit->max_cpu != config.sys_cpu)) {
        unit->memory_size = static_cast<std::int64_t>(config.sys_memory);
        unit->max_cpu = unit->min_cpu = config.sys_cpu;
        stores_.resources.alterUnit(*unit);
    }
}

}  // namespace tidemark::server
