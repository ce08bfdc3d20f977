#include "tenant/replicas.h"

#include "base/letters.h"
#include "oceanbase/ob_error.h"

namespace tidemark::tenant {

using catalog::TenantId;

namespace {

LoginTarget targetOf(const catalog::Tenant& tenant, const Replica& replica, unsigned client_connections) {
    LoginTarget target{.id = tenant.id, .name = tenant.name, .socket = replica.socket()};
    target.locked = tenant.locked;
    target.status = tenant.status;
    target.role = tenant.role;
    target.mode = tenant.mode;
    const auto invited = tenant.variables.find("ob_tcp_invited_nodes");
    if (invited != tenant.variables.end()) target.invited_nodes = invited->second;
    target.client_connections = client_connections;
    return target;
}

}  // namespace

std::shared_ptr<const Replicas::Snapshot> Replicas::snapshot() const {
    const MutexLock lock(mutex_);
    return present_;
}

template <typename Change>
void Replicas::change(Change apply) {
    const MutexLock one(changing_);
    auto next = std::make_shared<Snapshot>(*snapshot());
    apply(*next);
    next->by_name.clear();
    for (const auto& [id, entry] : next->by_id)
        next->by_name[lowerCase(entry.target.name)] = id;
    std::shared_ptr<const Snapshot> put = std::move(next);
    const MutexLock lock(mutex_);
    present_.swap(put);
}

std::optional<LoginTarget> Replicas::loginTarget(const std::string& name) const {
    const auto present = snapshot();
    const auto found = present->by_name.find(lowerCase(name));
    if (found == present->by_name.end()) return std::nullopt;
    const Entry& entry = present->by_id.at(found->second);
    LoginTarget target = entry.target;
    target.up = entry.replica->mayBeUp();
    return target;
}

std::shared_ptr<const Replica> Replicas::get(TenantId id) const {
    const auto present = snapshot();
    const auto found = present->by_id.find(id);
    if (found == present->by_id.end()) throw obError(Ob::TenantNotExist, std::to_string(id));
    return found->second.replica;
}

std::vector<std::shared_ptr<TenantServer>> Replicas::servers() const {
    std::vector<std::shared_ptr<TenantServer>> servers;
    for (const auto& [id, entry] : snapshot()->by_id)
        if (entry.replica->isManaged()) servers.push_back(entry.replica->server());
    return servers;
}

void Replicas::put(const catalog::Tenant& tenant, std::shared_ptr<const Replica> replica, unsigned client_connections) {
    change([&](Snapshot& next) {
        LoginTarget target = targetOf(tenant, *replica, client_connections);
        const auto before = next.by_id.find(tenant.id);
        // Readers whom a restore has let in are not shut out by a statement that changes something else; an attempt that
        // begins anew, in role RESTORE, has none.
        target.readable = before != next.by_id.end() && before->second.target.readable &&
                          tenant.role == catalog::TenantRole::Standby;
        next.by_id[tenant.id] = {std::move(target), replica};
    });
}

void Replicas::letReadersIn(TenantId id) {
    change([&](Snapshot& next) { next.by_id.at(id).target.readable = true; });
}

void Replicas::remove(TenantId id) {
    change([&](Snapshot& next) { next.by_id.erase(id); });
}

}  // namespace tidemark::tenant
