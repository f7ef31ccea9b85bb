#include "identity.hpp"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/random_generator.hpp>

namespace netcluster::daemon {
namespace {

wire::Uuid converted(const boost::uuids::uuid& from) {
    wire::Uuid uuid;
    std::copy(from.begin(), from.end(), uuid.begin());
    return uuid;
}

}  // namespace

wire::Uuid randomUuid() {
    return converted(boost::uuids::random_generator()());
}

wire::Uuid namedUuid(std::string_view name) {
    // Our own name space, so that the same text used elsewhere gives another uuid.
    static const boost::uuids::uuid space =
        boost::uuids::name_generator_sha1(boost::uuids::ns::dns())("netcluster");
    return converted(boost::uuids::name_generator_sha1(space)(name.data(), name.size()));
}

}  // namespace netcluster::daemon
