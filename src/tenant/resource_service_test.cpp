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
    pool("other", 128 << 20);
    resources().alterPool("p_acme", {.unit = "u_other"});
    EXPECT_EQ(root(1002).scalar("SELECT @@global.innodb_buffer_pool_size >> 20"), "66");
}

}  // namespace
}  // namespace tidemark::tenant
