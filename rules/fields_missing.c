/* Fields that Falco has and hullwatch cannot supply (yet): rules with them load, but do not run. */
#include "rules/fields_impl.h"

const char *const fields_missing[] = {
	"evt.abspath", "evt.abspath.*", "evt.around", "evt.asynctype", "evt.buffer", "evt.buflen",
	"evt.buflen.*", "evt.count.*", "evt.deltatime", "evt.deltatime.*", "evt.io_dir", "evt.is_io",
	"evt.is_io_read", "evt.is_io_write", "evt.is_open_create", "evt.is_syslog", "evt.is_wait",
	"evt.latency", "evt.latency.*", "evt.outputtime", "evt.pluginname", "evt.plugininfo",
	"evt.reltime", "evt.reltime.*", "evt.type.is", "evt.type.is.*", "evt.wait_latency", "evt.arg",
	"evt.arg.*", "evt.rawarg", "evt.rawarg.*", "syslog.*", "fdlist.*", "jevt.*", "ka.*", "ct.*",
	"json.*", "gcp.*", "okta.*", "github.*",
	"fd.cip.name", "fd.containerdirectory", "fd.containername", "fd.cproto", "fd.lip.name",
	"fd.lproto", "fd.proto", "fd.rip.name", "fd.rproto", "fd.sip.name",
	"fd.sproto", "fd.types", "fd.uid", "fd.is_upper_layer", "fd.is_lower_layer", "fd.types.*",
	"proc.aenv", "proc.aargs", "proc.env", "proc.fdlimit", "proc.fdopencount", "proc.fdusage",
	"proc.is_container_healthcheck", "proc.is_container_liveness_probe",
	"proc.is_container_readiness_probe", "proc.is_exe_lower_layer", "proc.is_exe_writable",
	"proc.exe_ino.ctime_duration_pidns_start", "proc.nchilds", "proc.nthreads",
	"proc.sid.exe.*", "proc.stderr.name", "proc.stderr.type", "proc.stdin.name",
	"proc.stdin.type", "proc.stdout.name", "proc.stdout.type", "proc.thread.*", "proc.vmrss",
	"proc.vmsize", "proc.vmswap", "proc.cputime", "proc.apid.*",
	"thread.cgroup", "thread.cgroups", "thread.cpu", "thread.cpu.*", "thread.exectime",
	"thread.totexectime", "thread.nametid", "thread.vmrss", "thread.vmsize", "thread.vtid",
	"user.homedir", "user.shell", "container.cni.json", "container.healthcheck",
	"container.info", "container.ip", "container.liveness_probe", "container.readiness_probe",
	"container.mount.propagation", "container.mount.options", "container.host_*",
	"k8s.*", "k8smeta.*", "kubernetes.*", "mesos.*", "group.*", "span.*", "tracer.*",
};

const size_t fields_missing_n = ARRAY_N(fields_missing);
