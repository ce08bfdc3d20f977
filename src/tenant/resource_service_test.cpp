#include "tenant/resource_service.h"

#include "tenant/node_fixture.h"

namespace tidemark::tenant {
namespace {

using ::testing::HasSubstr;
using ResourceServiceTest = NodeFixture;

TEST_F(ResourceServiceTest, AnswersMistakesWithOceanBasesErrors) {
    create("acme");
    pool("free");
    EXPECT_THAT(errorOf([&] { resources().dropPool("p_acme"); }), HasSubstr("4626 "));
    EXPECT_THAT(errorOf([&] { resources().dropUnit("u_free"); }), HasSubstr("4634 "));
    EXPECT_THAT(errorOf([&] { resources().alterPool("free", {.unit = "u_free", .unit_num = 1}); }), HasSubstr("1235 "));
    const UnitItems huge{.memory_size = 2LL << 60};
    EXPECT_THAT(errorOf([&] { resources().alterUnit("u_p_acme", huge); }), HasSubstr("4624 "));
    EXPECT_EQ(stores_->resources.findUnit("u_p_acme")->memory_size, 64 << 20) << "it must not wait for the next start";
}

TEST_F(ResourceServiceTest, ResizesWhatRuns) {
    create("acme");
    resources().alterUnit("u_p_acme", {.memory_size = 512 << 20});
    EXPECT_EQ(root(1002).scalar("SELECT @@global.innodb_buffer_pool_size >> 20"), "354");
    EXPECT_EQ(loginTarget("acme")->client_connections, 512U);
    const auto capacity = [&] {
        return root(1002).scalar("SELECT CONCAT_WS(' ', @@global.innodb_io_capacity, @@global.innodb_io_capacity_max)");
    };
    const auto before = capacity();
    resources().alterUnit("u_p_acme", {.max_iops = 5000, .min_iops = 3000});
    EXPECT_EQ(capacity(), "3000 5000");
    supervisor().forget(1002);
    EXPECT_TRUE(server(1002)->stop());
    server(1002)->start();
    EXPECT_EQ(capacity(), "3000 5000") << "it must outlive a restart";
    pool("other", 128 << 20);
    resources().alterPool("p_acme", {.unit = "u_other"});
    EXPECT_EQ(root(1002).scalar("SELECT @@global.innodb_buffer_pool_size >> 20"), "66");
    EXPECT_EQ(capacity(), before) << "a unit without a limit";
}

}  // namespace
}  // namespace tidemark::tenant
