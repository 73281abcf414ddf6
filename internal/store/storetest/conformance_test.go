package storetest_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"mintage/internal/store"
)

// methods names the test of each method of the contract. Each runs on every
// engine; what holds between methods is tested elsewhere besides.
var methods = []func(*testing.T){
	// Store
	TestEngine, TestInTx, TestRead, TestWatch, TestPing, TestSubmissions, TestEndHungWorkers, TestMigrate, TestClose,
	TestFor, TestRestricted, TestEventHorizon,
	// Reader
	TestNow,
	TestBrandByNumber, TestBrandByID, TestBrands, TestBasesOf, TestLogo, TestAPIKey,
	TestProductByID, TestProductBySKU, TestProductByCode, TestProducts, TestNextOrdinal, TestGTINOwner, TestSchemaByID, TestSchemas,
	TestProductionBatchByID, TestProductionBatchByCode, TestProductionBatches,
	TestWorkByJobID, TestWorkByBatchID, TestWorkByOrdinal, TestWorks, TestKeyClaim, TestNextDue,
	TestMintedProducts, TestUnitCode, TestEachUnit, TestCycles,
	TestEvents, TestUnitEvents, TestJobSteps,
	TestHasUsers, TestUserByEmail, TestUserByID, TestUserByIdentity, TestIdentities,
	TestMemberships, TestMembers, TestInvitation, TestInvitations, TestSession, TestAPIKeys,
	TestKeyCheck,
	TestLastSeal, TestSeals, TestEventsBetween, TestUnsealedBrands, TestUnsealedSince, TestTrailBrands,
	TestUnitStates, TestStateOrdinals, TestRecalls, TestLotCounts, TestScans, TestScanNetworks, TestLinks, TestDailyCounts, TestTotals,
	TestBases, TestProductByGTIN, TestBatchByOrdinal, TestLotsByCode, TestChanges,
	TestAllProducts, TestAllBases, TestAllGTINs, TestAllKeys, TestAllProductionBatches,
	TestAllJobs, TestAllBatches, TestAllLots, TestAllBatchEvents, TestAllRecalls, TestAllUnits, TestAllUnitStates,
	// Tx
	TestSavepoint,
	TestCreateBrand, TestUpdateBrand, TestPutLogo, TestCreateAPIKey,
	TestCreateProduct, TestUpdateProduct, TestLockProduct, TestPutSchema,
	TestCreateProductionBatch, TestUpdateProductionBatch, TestLockProductionBatch,
	TestClaimKey, TestClaimGTIN, TestReleaseGTIN, TestReserveOrdinals, TestCreateJob,
	TestClaimJob, TestMoveJob, TestRecordStrike, TestClearStrikes,
	TestInsertUnits,
	TestAppendEvent, TestAppendEvents,
	TestActivateUnits, TestRevokeUnits, TestCreateRecall, TestAppendScans, TestPutLinks, TestRollUp,
	TestCreateUser, TestLockUser, TestUpdateUser, TestLinkIdentity,
	TestPutMember, TestRemoveMember, TestLockMembers,
	TestCreateSession, TestUpdateSession, TestDeleteSession, TestDeleteSessions, TestDeleteExpired, TestCreateSetUpLink, TestUseSetUpLink,
	TestCreateInvitation, TestDeleteInvitation, TestDeleteInvitationTo,
	TestUpdateAPIKey, TestTouchAPIKey,
	TestSetKeyCheck,
	TestLockSeals, TestAppendSeal,
}

func TestEveryMethodHasItsTest(t *testing.T) {
	tested := make(map[string]bool)
	for _, test := range methods {
		name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
		tested[name[strings.LastIndex(name, ".Test")+len(".Test"):]] = true
	}
	contract := make(map[string]bool)
	for _, role := range []reflect.Type{reflect.TypeFor[store.Store](), reflect.TypeFor[store.Tx]()} { // a Tx is a Reader
		for method := range role.Methods() {
			contract[method.Name] = true
		}
	}
	for name := range contract {
		if !tested[name] {
			t.Errorf("the method %s has no test: write Test%s and list it", name, name)
		}
	}
	for name := range tested {
		if !contract[name] {
			t.Errorf("Test%s is listed, but the contract has no such method", name)
		}
	}
	if !reflect.TypeFor[store.Tx]().Implements(reflect.TypeFor[store.Reader]()) {
		t.Error("a Tx is not a Reader: list the methods of both")
	}
}
