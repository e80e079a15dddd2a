// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/json_limits.h"
#include "engine/io/read_ahead.h"
#include "engine/io/safetensors.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace fkv;
using namespace fkv::io;

namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "fkv-io-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override { fs::remove_all(folder); }

    fs::path put(const std::string& bytes) const {
        const fs::path path = folder / "x.safetensors";
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
    }

    fs::path folder;
};

std::string packed(std::uint64_t headerSize, const std::string& rest) {
    std::string out;
    for (int i = 0; i < 8; ++i)
        out += static_cast<char>(headerSize >> (8 * i) & 0xFF);
    return out + rest;
}

std::string image(const std::string& header, std::size_t dataBytes) {
    return packed(header.size(), header + std::string(dataBytes, '\0'));
}

std::span<const std::byte> bytesOf(const std::vector<float>& v) {
    return std::as_bytes(std::span(v));
}

template <class F>
ErrorCode codeOf(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        const std::string what = e.what();
        EXPECT_FALSE(what.empty());
        EXPECT_EQ(what.find('\n'), std::string::npos) << what;
        return e.code();
    }
    ADD_FAILURE() << "nothing thrown";
    return ErrorCode::Internal;
}

std::string a(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"("a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}";
}

} // namespace

using SafetensorsTest = Files;

TEST_F(SafetensorsTest, RoundTrip) {
    const std::vector<float> values{1.0F, -2.5F, 3.0F, 4.0F, 5.0F, 6.0F};
    const std::vector<std::uint8_t> flags{1, 2, 3};
    SafetensorsWriter writer;
    writer.metadata("format", "test \"1\"\n");
    writer.add("flags", DType::U8, {3}, std::as_bytes(std::span(flags)));
    writer.add("values", DType::F32, {2, 3}, bytesOf(values));
    writer.add("streamed", DType::F32, {3, 2}, [&](const SafetensorsWriter::Sink& sink) {
        for (const float& v : values)
            sink(std::as_bytes(std::span(&v, 1)));
    });
    writer.add("scalar", DType::F32, {}, bytesOf(values).first(4));
    writer.add("none", DType::F32, {0, 7}, std::span<const std::byte>{});
    std::vector<double> seen;
    writer.save(folder / "y", {}, [&](double p) { seen.push_back(p); });
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_DOUBLE_EQ(seen.back(), 1.0);
    EXPECT_EQ(entries(), 1U);

    const SafetensorsFile file = SafetensorsFile::open(folder / "y");
    EXPECT_EQ(file.metadata().at("format"), "test \"1\"\n");
    ASSERT_EQ(file.tensors().size(), 5U);
    EXPECT_EQ((file.tensors()[0].bytes.data() - file.file()->bytes().data()) % 64, 0);
    const std::int64_t wanted[] = {-1, 3};
    for (const char* name : {"values", "streamed"}) {
        const TensorEntry* e = file.find(name);
        ASSERT_NE(e, nullptr);
        EXPECT_EQ(e->elements(), 6);
        EXPECT_EQ(std::memcmp(e->bytes.data(), values.data(), 24), 0);
    }
    EXPECT_EQ(&file.require("values", DType::F32, wanted), file.find("values"));
    EXPECT_EQ(file.find("scalar")->elements(), 1);
    EXPECT_EQ(file.find("none")->elements(), 0);
    EXPECT_EQ(file.find("flags")->bytes.size(), 3U);
    EXPECT_EQ(file.find("absent"), nullptr);
    EXPECT_EQ(codeOf([&] { file.require("absent", DType::F32, wanted); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([&] { file.require("values", DType::F16, wanted); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([&] { file.require("streamed", DType::F32, wanted); }), ErrorCode::BadFile);
}

TEST_F(SafetensorsTest, ReadsTheGoldenFiles) {
    const auto file =
        SafetensorsFile::open(fs::path(FKV_TEST_DATA) / "golden" / "dev-a.safetensors");
    const std::int64_t any[] = {-1};
    EXPECT_GT(file.require("input_ids", DType::I32, any).elements(), 0);
    EXPECT_EQ(file.metadata().at("name"), "dev-a");
}

TEST_F(SafetensorsTest, OddFilesThatAreValidOpen) {
    const std::string entry = a("F32", "[2]", "[0,8]");
    for (const std::string& header : {"\t\n{" + entry + "}", "{" + entry + "} \r\n\t",
                                      "{ " + entry + " }", "{\"__metadata__\":{}," + entry + "}"})
        EXPECT_EQ(SafetensorsFile::open(put(image(header, 8))).tensors().size(), 1U) << header;
    EXPECT_TRUE(SafetensorsFile::open(put(image(" \n{}", 0))).tensors().empty());
    const auto shaped = [&](const std::string& dtype, const std::string& shape, std::size_t bytes) {
        const std::string offsets = "[0," + std::to_string(bytes) + "]";
        return SafetensorsFile::open(put(image("{" + a(dtype, shape, offsets) + "}", bytes)))
            .tensors()
            .front()
            .elements();
    };
    EXPECT_EQ(shaped("I32", "[]", 4), 1);
    EXPECT_EQ(shaped("I32", "[2,0]", 0), 0);
    EXPECT_EQ(shaped("BOOL", "[1,1,3]", 3), 3);
    EXPECT_EQ(shaped("I16", "[7]", 14), 7) << "odd sizes leave later data unaligned";
}

TEST_F(SafetensorsTest, RefusesEveryMalformedFile) {
    const std::string good = "{" + a("F32", "[2]", "[0,8]") + "}";
    EXPECT_EQ(SafetensorsFile::open(put(image(good, 8))).tensors().size(), 1U);
    EXPECT_TRUE(SafetensorsFile::open(put(image("{}", 0))).tensors().empty());
    const std::string b = R"("b":{"dtype":"F32","shape":[2],"data_offsets":)";
    const std::vector<std::pair<const char*, std::string>> cases{
        {"empty", ""},
        {"seven bytes", "1234567"},
        {"truncated data", image(good, 7)},
        {"trailing bytes", image(good, 9)},
        {"truncated header", image(good, 8).substr(0, 20)},
        {"huge header length", packed(~0ULL, good)},
        {"header length near the limit", packed((100U << 20) - 1, good)},
        {"header length zero", packed(0, good)},
        {"header of spaces", image("    ", 0)},
        {"not JSON", image("{nope", 0)},
        {"not an object", image("[1]", 0)},
        {"text after the object", image(good + "x", 8)},
        {"invalid UTF-8", image("{\"\xFF\":1}", 0)},
        {"overlap", image("{" + a("F32", "[2]", "[0,8]") + "," + b + "[4,12]}}", 12)},
        {"same range twice", image("{" + a("F32", "[2]", "[0,8]") + "," + b + "[0,8]}}", 8)},
        {"hole", image("{" + a("F32", "[2]", "[0,8]") + "," + b + "[12,20]}}", 20)},
        {"hole at the start", image("{" + a("F32", "[2]", "[4,12]") + "}", 12)},
        {"duplicate names",
         image("{" + a("F32", "[2]", "[0,8]") + "," + a("F32", "[2]", "[8,16]") + "}", 16)},
        {"overflowing shape", image("{" + a("F32", "[4294967296,4294967296]", "[0,0]") + "}", 0)},
        {"overflow hidden by zero",
         image("{" + a("F32", "[4294967296,4294967296,0]", "[0,0]") + "}", 0)},
        {"extent above 2^63", image("{" + a("U8", "[18446744073709551615]", "[0,8]") + "}", 8)},
        {"extent above 2^64", image("{" + a("U8", "[99999999999999999999]", "[0,8]") + "}", 8)},
        {"negative extent", image("{" + a("F32", "[-2]", "[0,8]") + "}", 8)},
        {"two negative extents", image("{" + a("F32", "[-1,-2]", "[0,8]") + "}", 8)},
        {"fractional extent", image("{" + a("F32", "[2.0]", "[0,8]") + "}", 8)},
        {"negative offset", image("{" + a("F32", "[2]", "[-8,0]") + "}", 8)},
        {"reversed offsets", image("{" + a("F32", "[2]", "[8,0]") + "}", 8)},
        {"three offsets", image("{" + a("F32", "[2]", "[0,8,8]") + "}", 8)},
        {"unknown dtype", image("{" + a("Q4", "[2]", "[0,8]") + "}", 8)},
        {"lower-case dtype", image("{" + a("f32", "[2]", "[0,8]") + "}", 8)},
        {"bytes not matching the shape", image("{" + a("F32", "[3]", "[0,8]") + "}", 8)},
        {"extra member", image(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}})", 1)},
        {"missing member", image(R"({"a":{"dtype":"U8","shape":[]}})", 0)},
        {"tensor not an object", image(R"({"a":3})", 0)},
        {"offsets of 2^64", image("{" + a("U8", "[1]", "[0,18446744073709551616]") + "}", 1)},
        {"offsets far beyond",
         image("{" + a("U8", "[1]", "[9223372036854775807,9223372036854775808]") + "}", 1)},
        {"offset as text", image("{" + a("U8", "[1]", "[\"0\",1]") + "}", 1)},
        {"dtype as number",
         image("{" + a("U8", "[1]", "[0,1]") + "}", 1).replace(8 + 14, 4, "1234")},
        {"shape as number", image("{" + a("U8", "1", "[0,1]") + "}", 1)},
        {"rank beyond reason",
         image("{" + a("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]") + "}", 1)},
        {"name of a tensor twice, once escaped",
         image("{" + a("U8", "[1]", "[0,1]") +
                   R"(,"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
               2)},
        {"metadata not an object", image(R"({"__metadata__":[]})", 0)},
        {"comment", image("{/*" + a("U8", "[1]", "[0,1]") + "*/}", 1)},
        {"metadata not strings", image(R"({"__metadata__":{"k":1}})", 0)},
        {"deep nesting",
         image("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}", 0)},
        {"line break in a name", image(R"({"a\nb":3})", 0)},
    };
    for (const auto& [what, bytes] : cases) {
        SCOPED_TRACE(what);
        EXPECT_EQ(codeOf([&] { SafetensorsFile::open(put(bytes)); }), ErrorCode::BadFile);
    }
}

TEST_F(SafetensorsTest, EveryTruncationAndManyFlippedBytesAreHandled) {
    const std::string whole = image("{" + a("F32", "[2]", "[0,8]") + "}", 8);
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_EQ(codeOf([&] { SafetensorsFile::open(put(whole.substr(0, n))); }),
                  ErrorCode::BadFile);
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (const int bit : {1, 4, 32, 128}) {
            std::string damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ bit);
            try {
                SafetensorsFile::open(put(damaged)); // a name may change and still be well-formed
            } catch (const Error& e) {
                EXPECT_EQ(e.code(), ErrorCode::BadFile);
            }
        }
}

TEST_F(SafetensorsTest, AbsentFilesAndFoldersAreNamed) {
    EXPECT_EQ(codeOf([&] { SafetensorsFile::open(folder / "no"); }), ErrorCode::NotFound);
    EXPECT_EQ(codeOf([&] { SafetensorsFile::open(folder); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([&] { MappedFile::open("/dev/null"); }), ErrorCode::BadFile);
}

TEST_F(SafetensorsTest, FailuresLeaveTheEarlierFileIntact) {
    const fs::path path = put("earlier");
    const std::vector<float> values(1U << 16, 1.0F);
    SafetensorsWriter writer;
    writer.add("v", DType::F32, {1 << 16}, bytesOf(values));

    // A folder without write permission; the superuser has to step down to be refused.
    fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                fs::perms::others_exec);
    const bool root = ::geteuid() == 0;
    if (root) {
        ASSERT_EQ(::seteuid(65534), 0);
    }
    EXPECT_EQ(codeOf([&] { writer.save(path); }), ErrorCode::Io);
    if (root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    fs::permissions(folder, fs::perms::owner_all);
    EXPECT_EQ(readText(path), "earlier");

    // A file size limit stands in for a full disk.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(codeOf([&] { writer.save(path); }), ErrorCode::Io);
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);

    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(codeOf([&] { writer.save(path, stop.get_token()); }), ErrorCode::Cancelled);
    SafetensorsWriter wrong;
    wrong.add("v", DType::F32, {2}, [&](const auto& sink) { sink(bytesOf(values).first(4)); });
    EXPECT_EQ(codeOf([&] { wrong.save(path); }), ErrorCode::Internal);
    EXPECT_EQ(codeOf([&] { writer.save(folder / "no" / "x"); }), ErrorCode::Io);
    EXPECT_EQ(codeOf([&] { writer.save(folder); }), ErrorCode::Io);

    EXPECT_EQ(readText(path), "earlier");
    EXPECT_EQ(entries(), 1U);
    writer.save(path);
    EXPECT_EQ(SafetensorsFile::open(path).tensors().size(), 1U);
}

TEST_F(SafetensorsTest, WriterRefusesMistakes) {
    SafetensorsWriter writer;
    const std::vector<float> values(4);
    EXPECT_THROW(writer.add("v", DType::F32, {3}, bytesOf(values)), Error);
    EXPECT_THROW(writer.add("v", DType::F32, {-4}, bytesOf(values)), Error);
    writer.add("v", DType::F32, {4}, bytesOf(values));
    EXPECT_THROW(writer.add("v", DType::F32, {4}, bytesOf(values)), Error);
}

TEST(Json, LimitsAreKept) {
    EXPECT_EQ(parseJson(R"({"a":{"x":1},"b":{"x":2}})", "t")["b"]["x"], 2);
    EXPECT_EQ(codeOf([] { parseJson(R"({"a":1,"a":2})", "t"); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { parseJson("[[[[1]]]]", "t", {.maxDepth = 3}); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { parseJson("[1,2]", "t", {.maxBytes = 4}); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { parseJson("", "t"); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { parseJson("1e999", "t"); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { parseJson("{\"a\nb\":1}", "t"); }), ErrorCode::BadFile);
    EXPECT_EQ(codeOf([] { readJson("/nonexistent.json"); }), ErrorCode::NotFound);
}

TEST(Utf8, AcceptsOnlyTheStandard) {
    for (const char* good : {"", "a", "é", "▁", "😀", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
        EXPECT_TRUE(isUtf8(good)) << good;
    for (const char* bad :
         {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x96", "a\xFF", "\xE2\x28\xA1"})
        EXPECT_FALSE(isUtf8(bad)) << bad;
}

TEST(ReadAhead, WaitsForUseAndEndsWhileItWaits) {
    const std::vector<std::byte> bytes(1U << 16);
    const std::span<const std::byte> all(bytes);
    {
        io::ReadAhead ahead({all, all, all}, 1U << 16); // waits for ever after the first
    }
    io::ReadAhead used({all, {}, all.first(10)}, 1);
    used.used(all.size());
    used.used(10);
}
