# Makes up rules, loads them into one kernel with nft 1.0.6 (./nft10) or, for an odd seed, 1.1.3 (./nft11), and lists them with each
# release (g10.txt, g11.txt, g-noble.txt, g-sid.txt). generate.py SEED COUNT, as root, in network namespace hitless-par-1.
import random,subprocess,sys
random.seed(int(sys.argv[1])); N=int(sys.argv[2])
R=random.choice
F=['fin','syn','rst','psh','ack','urg','ecn','cwr']
def fl(k=None):
    return random.sample(F,k or random.randint(1,4))
def dur(): return R(['30s','90s','1m','5m','1h','1h30m','36h','2d','10d5h3m1s','1500ms','250ms'])
def addr(): return f'10.{random.randint(0,255)}.{random.randint(0,255)}.{random.randint(1,254)}'
def num(): return R([str(random.randint(0,65535)),hex(random.randint(0,65535))])
def lim():
    a='limit rate '+R(['','over '])
    if random.random()<.6: return a+f'{random.randint(1,5000)}/{R(["second","minute","hour","day","week"])}'+R(['',f' burst {R([1,3,4,5,6,50])} packets'])
    return a+f"{random.randint(1,900)} "+R(["bytes","kbytes","mbytes"])+"/second"+R(["",f" burst {R([1,5,1500,4096])} kbytes"])
def tf():
    m=fl();v=random.sample(m,random.randint(1,len(m)))
    return R([f'tcp flags & ({" | ".join(m)}) {R(["==","!="])} {" | ".join(v)}',f'tcp flags {R(["","!= "])}{",".join(v)} / {",".join(m)}',f'tcp flags & ({"|".join(m)}) {R(["==","!="])} 0',
      f'tcp flags {R(["","!= ","== ","! "])}{",".join(v)}',f'tcp flags {R(["","!= "])}{{ {", ".join(fl())} }}',f'tcp flags & {R(F)} {R(["==","!="])} {R(["0",R(F)])}', f'tcp flags & ({"|".join(m)}) vmap {{ {"|".join(v)} : accept, 0x0 : drop }}',f'tcp flags & ({"|".join(m)}) == {{ {"|".join(v)}, 0x0 }}'])
C4=['net-unreachable','host-unreachable','prot-unreachable','port-unreachable','frag-needed','net-prohibited','host-prohibited','admin-prohibited']
C6=['no-route','admin-prohibited','addr-unreachable','port-unreachable','policy-fail','reject-route']
T4=['echo-reply','destination-unreachable','source-quench','redirect','echo-request','time-exceeded','parameter-problem','timestamp-request','router-advertisement']
T6=['destination-unreachable','packet-too-big','time-exceeded','parameter-problem','echo-request','nd-neighbor-solicit','nd-router-advert']
def icmp():
    return R([f'icmp code {R(["","!= "])}{R(C4+["5","7"])}',f'icmp code {{ {", ".join(random.sample(C4,3))} }}',f'icmp type {R(T4)} icmp code {R(C4+["1","6"])}',f'icmp type {{ {", ".join(random.sample(T4,3))} }}',
     f'icmpv6 code {R(C6)}',f'icmpv6 code {{ {", ".join(random.sample(C6,3))} }}',f'icmpv6 type {R(T6)} icmpv6 code {R(C6+["0","2"])}',f'icmpv6 type {{ {", ".join(random.sample(T6,3))} }}',
     f'icmp code vmap {{ {R(C4)} : accept }}', f'icmp type . icmp code {{ destination-unreachable . {R(C4)}, echo-request . 0 }}', f'icmp code 0-3', f'icmp code > 3',
     f'icmpv6 type . icmpv6 code {{ destination-unreachable . {R(C6)} }}'])
def setref(): return R([f'add @dyn {{ ip saddr timeout {dur()} }}',f'update @dyn {{ ip saddr {lim()} }}',f'update @dyn {{ ip saddr timeout {dur()} {lim()} }}',f'add @dynt {{ ip saddr . tcp dport timeout {dur()} counter }}', f'meter m{random.randint(0,10**9)} {{ ip saddr timeout {dur()} {lim()} }}',f'meter m{random.randint(0,10**9)} size {R([1000,65535])} {{ ip saddr . tcp dport {lim()} }}'])
def mark():
    a,b=num(),num()
    return R([f'meta mark {R(["","!= ","> "])}{a}',f'meta mark & {a} == {b}',f'ct mark & {a} != {b}',f'meta mark set ct mark & {a} | {b}',f'ct mark set meta mark ^ {a}',f'meta mark set jhash ip saddr . ip daddr mod {random.randint(2,100)} seed {a} offset {random.randint(0,1000)}',f'meta mark set numgen {R(["inc","random"])} mod {random.randint(2,200)} offset {random.randint(0,500)}',f'meta mark {{ {a}, {int(a,0)+1}-{int(a,0)+9} }}', f'ct mark vmap {{ {a} : accept, {int(a,0)+1} : drop }}', f'meta mark set meta mark {R(["<<",">>"])} {random.randint(1,16)}',f'meta priority set {random.randint(1,99)}:{random.randint(1,99)}',f'meta cpu {random.randint(0,64)}',f'meta skuid {{ 0, {random.randint(1,60000)} }}',f'meta cgroup {num()}',f'iifgroup {num()}',f'meta length {R([">","<","!="])} {num()}', f'ct label set {random.randint(0,127)}', f'ct zone {num()}'])
def pay():
    n=num()
    return R([f'ip frag-off {R(["","!= ","> "])}{n}',f'ip frag-off & {n} {R(["==","!="])} {num()}',f'ip id {n}',f'ip ttl {R(["","< ","> "])}{random.randint(1,255)}',f'ip dscp {R(["","!= "])}{R(["cs1","ef","af11","cs0","be","lephb",hex(random.randint(0,63))])}',f'ip dscp set {R(["cs1","ef","af41",hex(random.randint(0,63))])}',f'ip dscp {{ {", ".join(hex(x) for x in random.sample(range(64),3))} }}',f'ip6 flowlabel {n}',f'ip6 hoplimit {random.randint(0,255)}',f'ip6 dscp {hex(random.randint(0,63))}',f'ip ecn {R(["ect0","ect1","ce","not-ect"])}',f'ip length {n}',f'ip checksum {n}',f'ip protocol {random.randint(0,255)}',f'ip protocol {{ {", ".join(str(x) for x in random.sample(range(256),3))} }}',f'ip6 nexthdr {random.randint(0,255)}',f'meta l4proto {random.randint(0,255)}',
     f'@th,{R([0,16,32])},{R([8,16,32])} {random.randint(0,255)}',f'@nh,{R([0,8,32,96])},{R([8,16,32])} & {hex(random.randint(1,255))} == {random.randint(0,255)}',f'@ih,0,{R([8,16,32])} {random.randint(0,255)}',f'tcp dport & {n} == {num()}',f'tcp sequence {n}',f'tcp window {n}',f'tcp urgptr {n}',f'tcp doff {random.randint(0,15)}',f'tcp option {R(["maxseg size","window count","timestamp tsval"])} {random.randint(0,14)}',f'tcp option {random.randint(30,250)} exists',f'tcp option maxseg size set {random.randint(500,1460)}',f'udp length {n}',f'udp checksum {n}',f'sctp vtag {n}',f'sctp chunk {R(["data","init","sack","abort"])} exists',f'sctp chunk init num-outbound-streams {random.randint(0,99)}',f'dccp type {R(["request","response","data","ack","reset","sync"])}',f'esp spi {n}',f'ah hdrlength {random.randint(0,255)}',f'comp cpi {n}',f'vlan id {random.randint(1,4095)}',f'vlan pcp {random.randint(0,7)}',f'ether type {R(["ip","ip6","arp","vlan","0x88cc","0x0800"])}',f'gre protocol {n}', f'vxlan vni {random.randint(0,9999)}',f'ip option {R(["rr","lsrr","ssrr","ra"])} {R(["exists","missing"])}',f'frag id {n}',f'frag frag-off {random.randint(0,8191)}',f'rt seg-left {random.randint(0,255)}',f'exthdr {R(["hbh","frag","rt","dst","mh"])} {R(["exists","missing"])}',f'mh type {random.randint(0,10)}',f'igmp type {R(["membership-query","leave-group"])}'])
def addrs():
    return R([f'ip saddr {addr()}',f'ip saddr {addr()}/{random.randint(8,31)}',f'ip daddr {{ {addr()}, {addr()}, 192.168.0.0/24 }}',f'ip saddr . tcp dport {{ {addr()} . 80, {addr()} . 81-90 }}',f'ip saddr & 255.255.0.255 == 10.0.0.{random.randint(0,9)}',f'ip6 saddr fd00:{random.randint(1,999)}::/{random.randint(32,120)}',f'ip6 daddr & ffff::ffff == fd00::{random.randint(1,99)}',f'ether saddr 02:00:00:00:{random.randint(10,99)}:01',f'ip saddr vmap {{ {addr()} : accept, 192.168.0.0/16 : jump sub }}',f'iifname {{ "wan", "dc*", "x{random.randint(0,9)}" }}',f'iifname . ip saddr vmap {{ "wan" . {addr()} : drop }}',f'meta mark set ip saddr map {{ {addr()} : {num()}, 192.168.0.0/16 : 0x2 }}',f'fib {R(["saddr","daddr"])}{R([""," . iif"," . mark"," . mark . iif"])} {R(["oif missing","oif exists","type local","type { local, unicast }","oif lo","oifname wan","type != unicast"])}'])
def ct():
    return R([f'ct state {R(["new","established,related","invalid","untracked","!= new","{ new, related }","new,untracked"])}',f'ct status {R(["assured","dnat","snat,dnat","seen-reply","confirmed"])}',f'ct expiration {R(["","> ","< ","!= "])}{dur()}',f'ct expiration {{ {dur()} }}',f'ct count {R(["","over "])}{random.randint(1,5000)}',f'ct direction {R(["original","reply"])}',f'ct {R(["original ","reply ",""])}{R(["bytes","packets"])} {R([">","<"])} {random.randint(1,10**7)}',f'ct avgpkt > {num()}',f'ct helper "{R(["ftp","sip"])}"',f'ct event set {R(["new","new,destroy","assured,mark"])}',f'ct id {num()}',f'ct original ip daddr {addr()}', f'ct state . ct mark {{ new . {num()}, established . 0x1 }}'])
def other():
    return R([f'log prefix "a, b {{ {num()} }} limit rate 5/second burst 5 packets"',f'log level {R(["emerg","alert","crit","err","warn","notice","info","debug","audit"])}',f'log group {num()} snaplen {num()} queue-threshold {random.randint(1,99)}',f'log flags {R(["all","skuid","ether","tcp sequence","ip options","tcp sequence,options"])}',f'quota {R(["","over ","until "])}{random.randint(1,5000)} {R(["bytes","kbytes","mbytes"])}',f'reject with {R(["icmp","icmp type"])} {R(["host-unreachable","net-unreachable","prot-unreachable","port-unreachable","net-prohibited","host-prohibited","admin-prohibited"])}',f'reject with icmpv6 {R(["no-route","admin-prohibited","addr-unreachable","port-unreachable","policy-fail","reject-route"])}',f'reject with icmpx {R(["no-route","host-unreachable","port-unreachable","admin-prohibited"])}','reject with tcp reset',f'synproxy mss {random.randint(500,1460)} wscale {random.randint(0,14)} {R(["timestamp","sack-perm","timestamp sack-perm",""])}',f'meta hour "{random.randint(0,22):02d}:00"-"23:00"','meta day { "Monday", "Sunday" }',f'ipsec in reqid {num()}',f'ipsec out spi {num()}',f'rt classid {num()}',f'meta rtclassid {num()}',f'meta pkttype {R(["host","broadcast","multicast","other"])}',f'meta protocol {R(["ip","ip6","arp","vlan","{ ip, ip6 }"])}',f'meta random < {random.randint(1,10**9)}', 'counter name "odd"','notrack','return'])
gens=[lim,tf,icmp,setref,mark,pay,addrs,ct,other]
head='''table inet g { counter odd { }
 set dyn { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1h; }
 set dynt { type ipv4_addr . inet_service; flags dynamic,timeout; size 100; }
 chain sub { }
 chain c { type filter hook forward priority 0; }
'''
for i in range(6):
    head+=f' set s{i} {{ type ipv4_addr; flags timeout; timeout {dur()}; elements = {{ {addr()} timeout {dur()}, {addr()} }} }}\n'
    head+=f' ct timeout t{i} {{ protocol {R(["tcp; policy = { established: %d, close: %d, syn_sent: %d }"%(random.randint(1,9**6),random.randint(1,500),random.randint(1,70)),"udp; policy = { unreplied: %d, replied: %d }"%(random.randint(1,9**6),random.randint(1,500))])}; l3proto {R(["ip","ip6"])}; }}\n'
    head+=f' limit l{i} {{ {lim()[6:]}; }}\n quota q{i} {{ {R(["over","until"])} {random.randint(1,9999)} {R(["bytes","kbytes","mbytes"])}; }}\n'
    head+=f' chain p{i} {{ type filter hook {R(["input","output","forward"])} priority {R(["filter","raw","mangle","security","0","-300","filter + 7","mangle - 3","42"])}; policy {R(["accept","drop"])}; }}\n'
head+='}\n'
ns='hitless-par-1'
def run(nft,args,inp=None): return subprocess.run(['ip','netns','exec',ns,nft]+args,input=inp,text=True,capture_output=True)
import collections
ldr=['./nft10','./nft11'][int(sys.argv[1])%2]
r=run(ldr,['-f','-'],'flush ruleset\n'+head)
if r.returncode: print('HEAD',r.stderr[:600])
seen=set(); rules=[]
while len(rules)<N:
    rule=' '.join(dict.fromkeys(R(gens)() for _ in range(R([1,1,2]))))
    end=R(['','accept','drop','counter','accept comment "c, { x }"']) if not rule.endswith(('return',)) and 'reject' not in rule and 'synproxy' not in rule else ''
    rules.append(f'add rule inet g c {rule} {end}')
ok=0
def load(rs):
    global ok
    if not rs: return
    r=run(ldr,['-f','-'],'\n'.join(rs)+'\n')
    if r.returncode==0: ok+=len(rs); return
    if len(rs)==1: return
    h=len(rs)//2; load(rs[:h]); load(rs[h:])
for i in range(0,N,8): load(rules[i:i+8])
print('loaded',ok,'of',N,'by',ldr)
for v in ['10','11','-noble','-sid']:
    open(f'g{v}.txt','w').write(run('./nft'+v,['-s','list','ruleset']).stdout)
