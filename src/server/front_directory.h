#pragma once

#include "front/tenant_directory.h"
#include "tenant/tenant_service.h"

namespace tidemark::server {

/// What the front asks at every login, answered by the TenantService from memory. Thread-safe.
class FrontDirectory : public front::TenantDirectory {
public:
    explicit FrontDirectory(const tenant::TenantService& tenants) : tenants_(tenants) {}

    front::TenantAnswer find(const std::string& name) const override;
    std::optional<std::filesystem::path> anySocket() const override;

private:
    const tenant::TenantService& tenants_;
};

}  // namespace tidemark::server
