"""The tables of evm_rpc: what a row is, and what its columns hold."""

import pyarrow as pa

from include.sources.base import TIMESTAMP, Stream, column

INT, TEXT, BOOL = pa.int64(), pa.string(), pa.bool_()
_NETWORK = column("network", TEXT, "Chain as the directory names it, such as mainnet")
_BLOCK = (
    column("block_number", INT, "Block that holds it"),
    column("block_timestamp", TIMESTAMP, "Time of the block, UTC"),
)
BLOCKS = Stream(
    name="blocks",
    doc="One row per finalized block that was read; in log mode those with a log of a listed address only.",
    key=("network", "number"),
    schema=pa.schema(
        [
            _NETWORK,
            column("number", INT, "Height of the block on its chain"),
            column("hash", TEXT, "Hash that names the block"),
            column("parent_hash", TEXT, "Hash of the block before"),
            column("timestamp", TIMESTAMP, "Time of the block, UTC"),
            column("gas_used", INT, "Gas of all its transactions"),
            column("base_fee_per_gas", TEXT, "Base fee in wei, decimal; null before London"),
            column("transaction_count", INT, "Its transactions, system deposits included"),
            column("system_transaction_count", INT, "Those that the chain itself put there"),
            column("kept_transaction_count", INT, "Those that were kept"),
            column("user_operation_count", INT, "ERC-4337 user operations in it"),
        ]
    ),
)
TRANSACTIONS = Stream(
    name="transactions",
    doc="One row per transaction from or to a followed address, and per one with a kept trace. Followed are listed "
    "addresses and contracts that they created.",
    key=("network", "hash"),
    schema=pa.schema(
        [
            _NETWORK,
            column("chain_id", INT, "EIP-155 id of the chain"),
            column("hash", TEXT, "Hash that names the transaction"),
            *_BLOCK,
            column("block_hash", TEXT, "Block that holds it, by its hash"),
            column("transaction_index", INT, "Place in the block, from 0"),
            column("from_address", TEXT, "Sender, lower case"),
            column("to_address", TEXT, "Receiver, lower case; null for a creation"),
            column("value", TEXT, "Wei sent, decimal"),
            column("method_id", TEXT, "First four bytes of the input as 0x text; null without"),
            column("transaction_type", INT, "EIP-2718 type; 126 is a deposit of the OP stack"),
            column("receipt_status", INT, "1 done, 0 failed; null before Byzantium"),
            column("receipt_gas_used", INT, "Gas that it used"),
            column("receipt_effective_gas_price", TEXT, "Wei paid for a unit of gas, decimal"),
            column("receipt_contract_address", TEXT, "Contract that a creation made, or would have made if it failed"),
            column("l1_fee", TEXT, "Fee for the data on L1 in wei, decimal; null off the OP stack"),
            column("operator_fee", TEXT, "Operator's fee in wei, decimal; null where the receipt has none"),
            column("blob_fee", TEXT, "Fee for blobs in wei, decimal; null without blobs"),
            column("fee", TEXT, "The whole fee in wei, decimal; null if the gas or its price is not known"),
            column("is_system", BOOL, "The chain itself put it there; nobody's activity"),
            column("_payload", TEXT, "Transaction and receipt as JSON text"),
        ]
    ),
)
USER_OPERATIONS = Stream(
    name="user_operations",
    doc="One row per ERC-4337 user operation whose sender or paymaster is listed, or in a kept transaction.",
    key=("network", "transaction_hash", "log_index"),
    schema=pa.schema(
        [
            _NETWORK,
            column("transaction_hash", TEXT, "Transaction of the bundler"),
            column("log_index", INT, "Place of the event in the block"),
            *_BLOCK,
            column("user_operation_hash", TEXT, "Id of the operation"),
            column("entry_point", TEXT, "Contract that ran it"),
            column("sender", TEXT, "Smart account, lower case"),
            column("paymaster", TEXT, "Who pays, lower case; the zero address for nobody else"),
            column("is_success", BOOL, "Whether its call went through"),
            column("actual_gas_cost", TEXT, "Wei that it cost, decimal"),
            column("actual_gas_used", TEXT, "Gas that it used, decimal"),
        ]
    ),
)
TRACES = Stream(
    name="traces",
    doc="One row per call, creation or self-destruction from or to a followed address; contracts that a followed one "
    "creates only where its tags make it a creator. The transaction itself is one too.",
    key=("network", "transaction_hash", "trace_address"),
    schema=pa.schema(
        [
            _NETWORK,
            column("transaction_hash", TEXT, "Transaction that it is part of"),
            *_BLOCK,
            column("transaction_index", INT, "Place of the transaction in the block, from 0"),
            column("trace_address", TEXT, "Place in the tree of calls, such as 0,2; empty for the transaction itself"),
            column("trace_type", TEXT, "call, callcode, delegatecall, staticcall, create, create2 or selfdestruct"),
            column("from_address", TEXT, "Who called, lower case"),
            column("to_address", TEXT, "Whose code ran, or the created contract; null for a creation that failed"),
            column("value", TEXT, "Wei sent, decimal; null where nothing can be sent"),
            column("gas_used", INT, "Gas that it and all below it used; null where the node does not say"),
            column("error", TEXT, "Why it failed; null if it did not fail by itself"),
            column("is_reverted", BOOL, "It failed, or one that it is part of"),
            column(
                "fee_share",
                TEXT,
                "On the first row of an address in a transaction: wei of the fee for the gas that "
                "the address used itself, decimal, the rest on the called one; null if not known",
            ),
            column("_payload", TEXT, "The frame as JSON text, without those below it"),
        ]
    ),
)
