// lanyard: asks and changes a switchd that runs. Reads what is wanted, does it, and ends with a code for how that went.
#include <google/protobuf/stubs/common.h>

#include "tools/lanyard/arguments.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/help.h"
#include "tools/lanyard/output.h"
#include "tools/lanyard/run.h"

int main(int argc, char** argv) try {
  using namespace lanyard::cli;
  google::protobuf::SetLogHandler(nullptr);  // what is no message is said by the client
  begin_output();
  Arguments arguments(argc, argv);
  if (arguments.has("--help")) {
    write_output(help_text(arguments.verb(), arguments.asked()));
  } else if (arguments.verb() == nullptr && arguments.has("--version")) {
    write_output(version_text());
  } else {
    arguments.insist_good();
    run(arguments);
  }
  return exit_good;
} catch (const lanyard::cli::Exit& exit) {
  lanyard::cli::write_error(exit.message);
  return exit.code;
}
