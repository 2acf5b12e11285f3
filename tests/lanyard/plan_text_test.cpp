// The diff of `apply`.
#include "tools/lanyard/plan_text.h"

#include <catch2/catch.hpp>

namespace plan_text_test {

using namespace lanyard;
using namespace lanyard::cli;

namespace {

v1::Change& add(v1::Plan& plan, v1::Change::Action action, const char* what, const char* name) {
  v1::Change& change = *plan.add_changes();
  change.set_action(action);
  change.set_what(what);
  change.set_name(name);
  return change;
}

}  // namespace

TEST_CASE("a plan reads as a diff") {
  v1::Plan plan;
  plan.add_warnings("web: open to all");
  add(plan, v1::Change::REMOVE, "network", "old");
  v1::Change& lab = add(plan, v1::Change::CHANGE, "port", "lab");
  lab.set_reopens(true);
  lab.add_before("max-frame: 1514");
  lab.add_after("max-frame: 9014");
  add(plan, v1::Change::ADD, "port", "web").add_after("type: tcp-listen");
  const std::string changes =
      "warning: web: open to all\n"
      "- network old\n"
      "~ port lab (opens again: its connections drop)\n"
      "-   max-frame: 1514\n"
      "+   max-frame: 9014\n"
      "+ port web\n"
      "+   type: tcp-listen\n";
  CHECK(plan_text(plan, false, {}) == changes + "1 to add, 1 to remove, 1 to change\n");
  CHECK(plan_text(plan, true, {}) == changes + "1 added, 1 removed, 1 changed\n");
  CHECK(plan_text(plan, true, {true}).find("\x1b[31m- network old\x1b[0m\n") != std::string::npos);
}

TEST_CASE("a plan without changes says so") { CHECK(plan_text({}, true, {}) == "nothing to do\n"); }

}  // namespace plan_text_test
