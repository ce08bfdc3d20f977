#include "view/mirrored_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "view/view_definition.h"

namespace tidemark::view {
namespace {

using catalog::Topic;

// The first columns of each table are its primary key.
constexpr std::array kTables = {
    MirroredTable{"own_tenant", Topic::Tenant, 1, "SELECT ? AS tenant_id"},
    MirroredTable{"tenant", Topic::Tenant | Topic::ArchiveProgress, 1,
                  "SELECT * FROM tidemark.tenant WHERE tenant_id = ?"},
    MirroredTable{"unit", Topic::Tenant, 1, "SELECT * FROM tidemark.unit WHERE tenant_id = ?"},
    MirroredTable{"unit_config", Topic::Tenant, 1,
                  "SELECT * FROM tidemark.unit_config WHERE id IN "
                  "(SELECT unit_config_id FROM tidemark.unit WHERE tenant_id = ?)"},
    MirroredTable{"server", Topic::Cluster, 1, "SELECT * FROM tidemark.server WHERE ? > 0"},
    MirroredTable{"zone", Topic::Cluster, 1, "SELECT * FROM tidemark.zone WHERE ? > 0"},
    MirroredTable{"parameter_definition", Topic::Cluster, 1, "SELECT * FROM tidemark.parameter_definition WHERE ? > 0"},
    MirroredTable{"parameter_value", Topic::Cluster | Topic::Parameter, 2,
                  "SELECT * FROM tidemark.parameter_value WHERE tenant_id IN (0, ?)"},
    MirroredTable{"archive_destination", Topic::Parameter, 1,
                  "SELECT * FROM tidemark.archive_destination WHERE tenant_id = ?"},
    MirroredTable{"backup_destination", Topic::Parameter, 1,
                  "SELECT * FROM tidemark.backup_destination WHERE tenant_id = ?"},
    MirroredTable{"archive_round", Topic::Archive, 2, "SELECT * FROM tidemark.archive_round WHERE tenant_id = ?",
                  Topic::ArchiveProgress,
                  "SELECT * FROM tidemark.archive_round WHERE tenant_id = ? AND status <> 'STOP'"},
    MirroredTable{
        "archive_piece", Topic::Archive, 2, "SELECT * FROM tidemark.archive_piece WHERE tenant_id = ?",
        Topic::ArchiveProgress,
        "SELECT * FROM tidemark.archive_piece FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 'ACTIVE'"},
    MirroredTable{.name = "archive_covered",
                  .topics = Topic::Covered,
                  .key_columns = 1,
                  .select = "SELECT * FROM tidemark.archive_covered WHERE tenant_id = ?",
                  .in_memory = true},
    MirroredTable{"backup_job", Topic::Backup | Topic::BackupProgress, 2,
                  "SELECT * FROM tidemark.backup_job WHERE tenant_id = ?"},
    MirroredTable{"backup_job_history", Topic::Backup, 2,
                  "SELECT * FROM tidemark.backup_job_history WHERE tenant_id = ?"},
    MirroredTable{"backup_task", Topic::Backup | Topic::BackupProgress, 2,
                  "SELECT * FROM tidemark.backup_task WHERE tenant_id = ?"},
    MirroredTable{"backup_task_history", Topic::Backup, 2,
                  "SELECT * FROM tidemark.backup_task_history WHERE tenant_id = ?"},
    MirroredTable{"backup_set", Topic::Backup, 2, "SELECT * FROM tidemark.backup_set WHERE tenant_id = ?",
                  Topic::BackupProgress,
                  "SELECT * FROM tidemark.backup_set FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 'DOING'"},
    MirroredTable{"delete_policy", Topic::Parameter, 1, "SELECT * FROM tidemark.delete_policy WHERE tenant_id = ?"},
    MirroredTable{"delete_job", Topic::Backup, 2, "SELECT * FROM tidemark.delete_job WHERE tenant_id = ?"},
    MirroredTable{"delete_job_history", Topic::Backup, 2,
                  "SELECT * FROM tidemark.delete_job_history WHERE tenant_id = ?"},
    MirroredTable{"delete_task", Topic::Backup | Topic::BackupProgress, 2,
                  "SELECT * FROM tidemark.delete_task WHERE tenant_id = ?"},
    MirroredTable{"delete_task_history", Topic::Backup, 2,
                  "SELECT * FROM tidemark.delete_task_history WHERE tenant_id = ?"},
    MirroredTable{"backup_keep", Topic::Backup, 2, "SELECT * FROM tidemark.backup_keep WHERE tenant_id = ?"},
    MirroredTable{"restore_job", Topic::Restore, 1, "SELECT * FROM tidemark.restore_job WHERE tenant_id = ?"},
    MirroredTable{"restore_job_history", Topic::Restore, 1,
                  "SELECT * FROM tidemark.restore_job_history WHERE tenant_id = ?"},
    MirroredTable{"validate_job", Topic::Validate, 2, "SELECT * FROM tidemark.validate_job WHERE tenant_id = ?",
                  Topic::ValidateProgress,
                  "SELECT * FROM tidemark.validate_job WHERE tenant_id = ? AND end_time IS NULL"},
    MirroredTable{"validate_finding", Topic::Validate, 2,
                  "SELECT * FROM tidemark.validate_finding WHERE tenant_id = ?"},
};

// mariadbd takes statements of 16 KiB, however low a tenant's max_allowed_packet is.
constexpr std::size_t kRowsPerStatement = 100;
constexpr std::size_t kBytesPerStatement = 8 << 10;
constexpr std::size_t kBytesPerScript = 12 << 10;

std::uint64_t hashOf(const mysql::Row& row) {
    ByteWriter bytes;
    for (const auto& value : row.values()) {
        bytes.u8(value ? 1 : 0);
        if (value) bytes.string(*value);
    }
    return xxh3(bytes.data());
}

std::vector<std::string> keyOf(const MirroredTable& table, const mysql::Row& row) {
    std::vector<std::string> key;
    for (int i = 0; i < table.key_columns; ++i)
        key.push_back(row.text(static_cast<std::size_t>(i)));
    return key;
}

// NUL never occurs in a key: ids and names.
std::string packed(const std::vector<std::string>& key) {
    return fmt::format("{}", fmt::join(key, std::string(1, '\0')));
}

std::vector<std::string> unpacked(const std::string& key) {
    std::vector<std::string> parts(1);
    for (const char c : key) {
        if (c == '\0')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

/// Statements that are sent together: each time that a tenant is asked wakes a thread of it and one of ours.
class Script {
public:
    explicit Script(mysql::SqlClient& client) : client_(client) {}

    void add(std::string_view statement, const std::vector<mysql::Value>& values = {}) {
        const std::string text = client_.filled(statement, values);
        if (text_.size() + text.size() > kBytesPerScript) send();
        if (!text_.empty()) text_ += ";";
        text_ += text;
    }

    void send() {
        if (!text_.empty()) client_.script(text_);
        text_.clear();
    }

private:
    mysql::SqlClient& client_;
    std::string text_;
};

/// Rows of values as one statement's end, "(?, ?), (?, ?)": collected until a statement is full.
class Batch {
public:
    Batch(Script& script, std::string head, std::string tail)
        : script_(script), head_(std::move(head)), tail_(std::move(tail)) {}

    template <typename Values>
    void add(const Values& row) {
        marks_ += marks_.empty() ? "(" : ", (";
        for (std::size_t i = 0; i < row.size(); ++i) {
            marks_ += i == 0 ? "?" : ", ?";
            push(row[i]);
        }
        marks_ += ")";
        if (++rows_ == kRowsPerStatement || bytes_ > kBytesPerStatement) flush();
    }

    void flush() {
        if (rows_ == 0) return;
        script_.add(head_ + marks_ + tail_, values_);
        values_.clear();
        marks_.clear();
        rows_ = bytes_ = 0;
    }

private:
    void push(const std::optional<std::string>& value) {
        if (value)
            push(*value);
        else
            values_.emplace_back(nullptr);
    }
    void push(const std::string& value) {
        bytes_ += value.size();
        values_.emplace_back(value);
    }

    Script& script_;
    const std::string head_;
    const std::string tail_;
    std::string marks_;
    std::vector<mysql::Value> values_;
    std::size_t rows_ = 0;
    std::size_t bytes_ = 0;
};

void addTo(Script& script, std::string_view schema, const TableChange& change) {
    const std::string name = copyName(schema, change.table->name);
    if (change.clear) script.add("DELETE FROM " + name);
    const auto columns = std::span(change.columns);
    const auto key = columns.first(std::min<std::size_t>(columns.size(), change.table->key_columns));
    Batch removals(script, fmt::format("DELETE FROM {} WHERE ({}) IN (", name, fmt::join(key, ", ")), ")");
    for (const auto& row : change.remove)
        removals.add(row);
    removals.flush();
    Batch puts(script, fmt::format("REPLACE INTO {} ({}) VALUES ", name, fmt::join(columns, ", ")), "");
    for (const auto& row : change.put)
        puts.add(row);
    puts.flush();
}

}  // namespace

std::span<const MirroredTable> mirroredTables() {
    return kTables;
}

std::string copyName(std::string_view schema, std::string_view table) {
    return fmt::format("{}.{}{}", schema, kTenantPrefix, table);
}

std::vector<std::string> definitionsOfCopies(mysql::SqlClient& sys) {
    std::vector<std::string> definitions;
    for (const MirroredTable& table : kTables) {
        std::string create =
            sys.query(fmt::format("SHOW CREATE TABLE tidemark.{}", table.name)).rows.at(0).text("Create Table");
        if (const auto engine = create.find("InnoDB"); table.in_memory && engine != std::string::npos)
            create.replace(engine, 6, "MEMORY");
        definitions.push_back(create.substr(create.find('(')));
    }
    return definitions;
}

TableChange compare(const MirroredTable& table, Look look, const mysql::Result& rows, const RowHashes* known) {
    TableChange change{.table = &table, .clear = known == nullptr, .partial = look == Look::AtThoseInProgress};
    for (const std::string& column : rows.columns)
        change.columns.push_back(mysql::quoteIdentifier(column));
    for (const mysql::Row& row : rows.rows) {
        const std::string key = packed(keyOf(table, row));
        const std::uint64_t hash = hashOf(row);
        change.hashes.emplace(key, hash);
        if (known != nullptr) {
            const auto before = known->find(key);
            if (before != known->end() && before->second == hash) continue;
        }
        change.put.push_back(row.values());
    }
    if (known == nullptr || change.partial) return change;
    for (const auto& [key, hash] : *known) {
        if (!change.hashes.contains(key)) change.remove.push_back(unpacked(key));
    }
    return change;
}

void remember(TableChange change, RowHashes& known) {
    if (!change.partial) {
        known = std::move(change.hashes);
        return;
    }
    for (auto& [key, hash] : change.hashes)
        known.insert_or_assign(key, hash);
}

void apply(mysql::SqlClient& tenant, std::string_view schema, std::span<const TableChange> changes) {
    const bool durable =
        std::ranges::any_of(changes, [](const TableChange& change) { return !change.table->in_memory; });
    Script script(tenant);
    if (durable) script.add("START TRANSACTION");
    for (const TableChange& change : changes)
        addTo(script, schema, change);
    if (durable) script.add("COMMIT");
    script.send();
}

}  // namespace tidemark::view
