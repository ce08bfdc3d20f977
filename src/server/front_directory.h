#pragma once

#include "front/tenant_directory.h"
#include "tenant/replicas.h"

namespace tidemark::server {

/// What the front asks at every login, answered from memory. Thread-safe.
class FrontDirectory : public front::TenantDirectory {
public:
    explicit FrontDirectory(const tenant::Replicas& replicas) : replicas_(replicas) {}

    front::TenantAnswer find(const std::string& name) const override;
    std::optional<std::filesystem::path> anySocket() const override;

private:
    const tenant::Replicas& replicas_;
};

}  // namespace tidemark::server
