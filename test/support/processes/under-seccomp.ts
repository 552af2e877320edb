/**
 * Runs a command without the system calls that a hardened unit forbids: `bun under-seccomp.ts
 * COMMAND...`. A command that makes one of them is ended with SIGSYS.
 *
 * The calls are those that `SystemCallFilter=@system-service` of systemd leaves out. Source:
 * seccomp(2), and `systemd-analyze syscall-filter`.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

/** The number of each forbidden call on x86-64 and on ARM64; zero if it does not exist there. */
const FORBIDDEN: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  acct: [163, 89],
  adjtimex: [159, 171],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_adjtime: [305, 266],
  clock_settime: [227, 112],
  delete_module: [176, 106],
  finit_module: [313, 273],
  fsmount: [432, 432],
  fsopen: [430, 430],
  init_module: [175, 105],
  ioperm: [173, 0],
  iopl: [172, 0],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  modify_ldt: [154, 0],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  quotactl: [179, 60],
  reboot: [169, 142],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  vhangup: [153, 58],
};

const IS_ARM = process.arch === "arm64";
const ARCHITECTURE = IS_ARM ? 0xc00000b7 : 0xc000003e;

const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const KILL_PROCESS = 0x80000000;
const ALLOW = 0x7fff0000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

function filterProgram(): Instruction[] {
  const numbers = Object.values(FORBIDDEN).map(([x64, arm64]) => (IS_ARM ? arm64 : x64));
  const kill: Instruction = [RETURN, 0, 0, KILL_PROCESS];
  return [
    [LOAD, 0, 0, 4],
    [JUMP_IF_EQUAL, 1, 0, ARCHITECTURE],
    kill,
    [LOAD, 0, 0, 0],
    ...numbers
      .filter((number) => number > 0)
      .flatMap((number): Instruction[] => [[JUMP_IF_EQUAL, 0, 1, number], kill]),
    [RETURN, 0, 0, ALLOW],
  ];
}

function encoded(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(value, at * 8 + 4);
  }
  return bytes;
}

const { i32, u64, ptr: pointer } = FFIType;
const { prctl, execvp } = dlopen("libc.so.6", {
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  execvp: { args: [pointer, pointer], returns: i32 },
}).symbols;

const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const PR_SET_NO_NEW_PRIVS = 38;

function forbid(): void {
  const program = encoded(filterProgram());
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt16LE(program.length / 8, 0);
  descriptor.writeBigUInt64LE(BigInt(ptr(program)), 8);
  const hasNoNew = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0;
  const isSet = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ptr(descriptor), 0, 0) === 0;
  if (!hasNoNew || !isSet) throw new Error("this system allows no seccomp filter");
}

const words = process.argv.slice(2).map((word) => Buffer.from(`${word}\0`));
const list = new BigUint64Array([...words.map((word) => BigInt(ptr(word))), 0n]);
forbid();
execvp(ptr(words[0]!), ptr(list));
throw new Error("the command cannot be executed");
