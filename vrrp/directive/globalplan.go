package directive

import "herald/config"

// globalBuiltIn lists what herald does without being told.
const globalBuiltIn = `
dynamic_interfaces [allow_if_changes] | Interfaces may appear and vanish while it runs: always so. |
vrrp_no_swap | The VRRP process is locked in memory: always so. |
vrrp_rt_priority PRIORITY | The VRRP process runs in real time where the system allows: always so. | 50
vrrp_priority NICE | The VRRP process runs in real time where the system allows: always so. | -10
vrrp_rlimit_rttime MICROSECONDS | Bounds the VRRP process's time between waits; herald's own bound is enough. | 10000
vrrp_rlimit_rtime MICROSECONDS | Old name of vrrp_rlimit_rttime. | 10000
max_auto_priority [PRIORITY] | The VRRP process runs in real time where the system allows: always so. | -1
min_auto_priority_delay MICROSECONDS | The VRRP process runs in real time where the system allows: always so. | 1000000
vrrp_skip_check_adv_addr [BOOL] | A differing address list is counted and reported, never a reason to drop: always so. |
reload_check_config [FILE] | A reload with errors keeps the running configuration: always so. |
process_names | Names the processes after their roles: always so. |
tmp_config_directory DIRECTORY | Keeps a copy of the configuration; only the process that needs it reads it here. | /tmp
vrrp_iptables [IN [OUT]] | Where no_accept rules go; herald uses nftables. | keepalived
vrrp_ipsets [NAME...] | Sets for such rules; herald uses nftables. | keepalived
nftables [TABLE] | The table of such rules; it is always named herald. |
nftables_priority PRIORITY | Priority of such rules; always -1. | -1
nftables_counters | Counters on such rules; always there. |
nftables_ifindex | Form of such rules; always by name. |
vrrp_netlink_cmd_rcv_bufs BYTES | Receive buffer of the netlink command socket; a listing that was cut off is repeated. | 1000000
vrrp_netlink_cmd_rcv_bufs_force [BOOL] | Allows more than the system's maximum: always so. | on
vrrp_netlink_monitor_rcv_bufs BYTES | Receive buffer of the netlink monitor socket; when it overflows everything is listed again. | 1000000
vrrp_netlink_monitor_rcv_bufs_force [BOOL] | Allows more than the system's maximum: always so. | on
process_monitor_rcv_bufs BYTES | Receive buffer of the process connector; when it overflows the processes are counted again. | 500000
process_monitor_rcv_bufs_force [BOOL] | Allows more than the system's maximum: always so. | on
vrrp_rx_bufs_policy MTU|ADVERT|BYTES | How receive buffers are sized; herald's are of one size, and kernel_rx_buf_size sets another. | MTU
vrrp_rx_bufs_multiplier NUMBER | Factor of that size. | 3
log_unknown_vrids | Advertisements of virtual routers that are not configured are counted and logged: always so, once a minute. |
include_check [OPTION...] | Which failures of include are errors: readable, match, wildcard_match, brace_match. | +match
`

// processPlan lists settings that stand at the top level, outside
// global_defs.
const processPlan = `
child_wait_time SECONDS | Time children have to end, 5 s. | 5
`

const globalPlan = `
config_save_dir DIRECTORY | Saves state and files at each reload, for debugging. | /var/lib/keepalived
process_name NAME | Names the parent process. | keepalived
vrrp_process_name NAME | Names the VRRP process. | keepalived_vrrp
checker_process_name NAME | Names the checker process. | keepalived_ipvs
lvs_process_name NAME | Old name of checker_process_name. | keepalived_ipvs
bfd_process_name NAME | Names the BFD process. | keepalived_bfd
smtp_alert_checker [BOOL] | Sends mail when a real server changes. | on
no_checker_emails | Sends no mail at each change of a checker. |
checker_log_all_failures [BOOL] | Logs every failed check. | on
lvs_sync_daemon INTERFACE [OPTION...] | Runs the IPVS connection synchronisation. | eth0 VI_1 id 5
lvs_timeouts [OPTION...] | Sets the IPVS connection timeouts. | tcp 900
lvs_flush | Removes existing IPVS rules at the start. |
lvs_flush_on_stop [VS] | Removes all IPVS rules at the end. |
lvs_flush_onstop [VS] | Old name of lvs_flush_on_stop. |
nftables_ipvs [TABLE] | Uses nftables marks for virtual server groups. |
nftables_ipvs_priority PRIORITY | Priority of those rules. | -1
nftables_ipvs_start_fwmark NUMBER | The first of those marks. | 1000
checker_priority NICE | Niceness of the checker process. | -10
bfd_priority NICE | Niceness of the BFD process. | -10
checker_no_swap | Locks the checker process in memory. |
bfd_no_swap | Locks the BFD process in memory. |
vrrp_cpu_affinity CPU... | Binds the VRRP process to processors. | 0
checker_cpu_affinity CPU... | Binds the checker process to processors. | 0
bfd_cpu_affinity CPU... | Binds the BFD process to processors. | 0
checker_rt_priority PRIORITY | Runs the checker process in real time. | 50
bfd_rt_priority PRIORITY | Runs the BFD process in real time. | 50
checker_rlimit_rttime MICROSECONDS | Bounds the checker process's time between waits. | 10000
checker_rlimit_rtime MICROSECONDS | Old name of checker_rlimit_rttime. | 10000
bfd_rlimit_rtime MICROSECONDS | Old name of bfd_rlimit_rttime. | 10000
bfd_rlimit_rttime MICROSECONDS | Bounds the BFD process's time between waits. | 10000
snmp_socket ADDRESS | The AgentX socket of the SNMP master. | unix:/var/agentx/master
enable_snmp_keepalived | Serves the KEEPALIVED MIB (old name). |
enable_snmp_vrrp | Serves the VRRP part of the KEEPALIVED MIB. |
enable_snmp_checker | Serves the checker part of the KEEPALIVED MIB. |
enable_snmp_rfc | Serves both VRRP MIBs. |
enable_snmp_rfcv2 | Serves the MIB of RFC 2787. |
enable_snmp_rfcv3 | Serves the MIB of RFC 6527. |
enable_traps | Sends SNMP traps. |
snmp_vrrp_update_interval SECONDS | How often SNMP data is renewed (newer than 2.2.7). | 5
snmp_checker_update_interval SECONDS | How often SNMP data is renewed (newer than 2.2.7). | 5
enable_dbus | Serves D-Bus. |
dbus_service_name NAME | The name on D-Bus. | org.keepalived.Vrrp1
dbus_no_interface_name | Leaves the interface out of D-Bus paths (newer than 2.2.7). |
lvs_netlink_cmd_rcv_bufs BYTES | Receive buffer of the checkers' command socket. | 1000000
lvs_netlink_cmd_rcv_bufs_force [BOOL] | Allows more than the system's maximum. | on
lvs_netlink_monitor_rcv_bufs BYTES | Receive buffer of the checkers' monitor socket. | 1000000
lvs_netlink_monitor_rcv_bufs_force [BOOL] | Allows more than the system's maximum. | on
rs_init_notifies | Runs the notify scripts of real servers at the start. |
umask NUMBER|BITS... | The umask of files written. | 022
random_seed NUMBER | Makes _RANDOM repeatable. | 1
reload_time_file FILE | Reloads at the time written in a file. | /etc/keepalived/reload
reload_repeat | Reloads at that time every day. |
reload_file [FILE] | A file that exists while the configuration is read. |
data_use_instance [BOOL] | Puts the instance name into the names of dumps. | on
vrrp_delay_after_boot SECONDS | Starts so long after the boot (newer than 2.2.7). | 10
state_dump_file FILE | Where SIGUSR1 writes (newer than 2.2.7). | /run/keepalived.data
stats_dump_file FILE | Where SIGUSR2 writes (newer than 2.2.7). | /run/keepalived.stats
json_dump_file FILE | Where the JSON signal writes (newer than 2.2.7). | /run/keepalived.json
json_version NUMBER | Form of the JSON dump (newer than 2.2.7). | 2
set_supplementary_groups | Gives scripts all groups of their user (newer than 2.2.7). |
use_symlink_paths | Keeps symbolic links in script paths (newer than 2.2.7). |
timer_expired_backup [BOOL] | Becomes BACKUP after a stall of its own (newer than 2.2.7). |
thread_timer_expired OPTION... | What to do after such a stall (newer than 2.2.7). | backup
iproute_etc_dir DIRECTORY | Where iproute's tables are (newer than 2.2.7). | /etc/iproute2
iproute_usr_dir DIRECTORY | Where iproute's tables are (newer than 2.2.7). | /usr/share/iproute2
`

// topPlan lists the blocks of the top level that are known and not acted on.
const topPlan = `
bfd_instance NAME { ... } | A BFD session (RFC 5880) to a neighbour. | b { neighbor_ip 192.0.2.9 min_rx 50 }
virtual_server_group NAME { ... } | Addresses served by one LVS virtual server. | g { 192.0.2.1 80 fwmark 7 }
virtual_server ADDRESS|fwmark|group [PORT|NUMBER|NAME] { ... } | An LVS virtual server. | 192.0.2.1 80 { lvs_sched rr lvs_method NAT real_server 192.0.2.2 80 { weight 1 TCP_CHECK { connect_port 80 } } }
SSL { ... } | Keys of SSL_GET checks. | { password secret }
`

var insideTop = map[string]registry[nothing]{
	"bfd_instance":   leaf(bfdPlan),
	"virtual_server": virtualServerWords,
	"SSL":            leaf(sslPlan),
}

func leaf(table string) registry[nothing] { return config.NewRegistry(plan[nothing](table)...) }

const bfdPlan = `
neighbor_ip ADDRESS | The other end. | 192.0.2.9
neighbour_ip ADDRESS | The other end. | 192.0.2.9
source_ip ADDRESS | This end. | 192.0.2.1
min_rx MILLISECONDS | Least interval of received packets, 10 ms. | 50
min_tx MILLISECONDS | Interval of sent packets, 10 ms. | 50
idle_tx MILLISECONDS | The same while the session is down, 1 s. | 1000
multiplier COUNT | Missed packets until the session is down, 5. | 5
passive | Waits for the other end. |
ttl NUMBER | Time to live of sent packets, 255. | 255
hoplimit NUMBER | The same for IPv6, 64. | 64
max_hops NUMBER | Hops a received packet may have made, 0. | 1
multihop | A session over several hops (newer than 2.2.7). |
weight NUMBER [reverse] | Added to the priority while the session is up. | 10
vrrp | Tells VRRP instances only. |
checker | Tells checkers only. |
`

const sslPlan = `
password TEXT | Password of the key. | secret
ca FILE | Certificate of the authority. | /etc/ssl/ca.pem
certificate FILE | Own certificate. | /etc/ssl/own.pem
key FILE | Own key. | /etc/ssl/own.key
`
